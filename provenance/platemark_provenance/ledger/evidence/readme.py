"""The text that explains a bundle to whoever is handed one, in English and Korean."""

README_TEXT = """\
EVIDENCE ABOUT ONE CLIP

This file was taken out of a publisher's audit log. It can be checked by anyone, offline, without the publisher.

  verify.html          Unpack the ZIP and open this page in a browser. It checks everything below, with nothing fetched.
  events.json          Every event of the clip's life (prompt handed in, decisions, approvals, signing, publication,
                       correction, withdrawal), to the byte as it stands in the log, each with its inclusion proof
                       (RFC 6962).
  checkpoint.txt       The signed head of the log that all proofs lead to (C2SP tlog-checkpoint, Ed25519).
  receipt.tlog-proof   The proof of the publication alone (C2SP tlog-proof).
  ledger-key.pem       The public key that signed the checkpoint. COMPARE IT with the one that the publisher tells you
                       by another way: a forger would put a key of his own here.
  manifest.c2pa        The signed C2PA manifest. Its SHA-256 stands in the event manifest.signed.
  label/*.png          Frames of the clip that show its visible label, taken when this bundle was made.
  evidence.js          The files above once more, as the page needs them.

The event audit.exported with the command "bundle" lists the SHA-256 of the manifest, the frames, the page and this
text, so they are under the signature too.

To check it with the program, on a machine that has neither the database nor any private key:
  platemark audit verify-bundle FILE.zip --key PUBLISHERS-LEDGER-KEY.pem

What it proves: these events were in the log, unchanged, when the checkpoint was signed.
What it does not prove: that what they say was true, that nothing happened outside the log, that the times are right,
or that the log showed everyone the same. Names and prompts are not in here: people appear under pseudonyms.


한 클립에 관한 증거

이 파일은 발행자의 감사 기록에서 나왔습니다. 발행자 없이, 네트워크 없이 누구나 확인할 수 있습니다.

  verify.html          ZIP을 풀고 브라우저로 여십시오. 아래의 모든 것을 확인하며 아무것도 내려받지 않습니다.
  events.json          클립의 모든 사건(프롬프트 접수, 판정, 승인, 서명, 발행, 정정, 철회)을 기록에 있는 바이트 그대로,
                       포함 증명(RFC 6962)과 함께 담았습니다.
  checkpoint.txt       모든 증명이 가리키는 서명된 기록 머리입니다.
  receipt.tlog-proof   발행 사건 하나의 증명입니다.
  ledger-key.pem       기록 머리에 서명한 공개 키입니다. 발행자가 다른 경로로 알려 준 키와 반드시 비교하십시오.
                       위조자는 여기에 자기 키를 넣을 것입니다.
  manifest.c2pa        서명된 C2PA 매니페스트입니다. SHA-256은 manifest.signed 사건에 있습니다.
  label/*.png          보이는 표시가 담긴 장면입니다. 이 묶음을 만들 때 뽑았습니다.

프로그램으로 확인하기: platemark audit verify-bundle 파일.zip --key 발행자의-기록-키.pem

증명하는 것: 기록 머리에 서명할 때 이 사건들이 바뀌지 않은 채 기록에 있었다는 것.
증명하지 않는 것: 사건의 내용이 사실인지, 기록 밖에서 다른 일이 없었는지, 시각이 맞는지, 모두에게 같은 기록을
보여 주었는지. 이름과 프롬프트는 없으며 사람은 가명으로 나타납니다.
"""
