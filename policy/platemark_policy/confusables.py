"""Characters that pass for a Latin letter and are not, and Hanja that stand for a word in Korean headlines.

One rule: a short table that a person has read, not the whole of Unicode. Source: chosen from the data of Unicode
Technical Standard 39, section 4, keeping letters that pass for a Latin letter in an ordinary font. Folding is used
for matching only; the original text is never changed.
"""

_CYRILLIC = {
    "а": "a", "в": "b", "ь": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "є": "e", "ғ": "f", "ԍ": "g",
    "һ": "h", "н": "h", "і": "i", "ї": "i", "ј": "j", "к": "k", "қ": "k", "ӏ": "l", "м": "m", "п": "n",
    "о": "o", "ө": "o", "р": "p", "ԛ": "q", "г": "r", "я": "r", "ѕ": "s", "т": "t", "ц": "u", "ѵ": "v",
    "ԝ": "w", "ш": "w", "х": "x", "у": "y", "ү": "y", "ч": "y", "з": "3", "и": "n",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "b", "ϲ": "c", "δ": "d", "ε": "e", "η": "n", "ι": "i", "ϳ": "j", "κ": "k", "μ": "u",
    "ν": "v", "ο": "o", "σ": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x", "γ": "y", "ζ": "z", "ω": "w",
}  # fmt: skip
_LATIN = {
    "ɑ": "a", "æ": "ae", "ɓ": "b", "ƀ": "b", "ɕ": "c", "đ": "d", "ð": "d", "ɖ": "d", "ɗ": "d", "ə": "e",
    "ɛ": "e", "ƒ": "f", "ɡ": "g", "ɢ": "g", "ɣ": "y", "ħ": "h", "ɦ": "h", "ı": "i", "ɩ": "i", "ɪ": "i",
    "ɨ": "i", "ʝ": "j", "ĸ": "k", "ƙ": "k", "ł": "l", "ɫ": "l", "ʟ": "l", "ɱ": "m", "ŋ": "n", "ɲ": "n",
    "ɴ": "n", "ø": "o", "œ": "oe", "ɔ": "o", "ɵ": "o", "þ": "p", "ƥ": "p", "ʀ": "r", "ɾ": "r", "ʂ": "s",
    "ŧ": "t", "ʈ": "t", "ʉ": "u", "ʊ": "u", "ʋ": "v", "ʏ": "y", "ƴ": "y", "ʐ": "z", "ƶ": "z", "ʙ": "b",
    "ʜ": "h", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f", "ᴊ": "j", "ᴋ": "k", "ᴍ": "m", "ᴏ": "o",
    "ᴘ": "p", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "օ": "o", "ո": "n", "ս": "u",
}  # fmt: skip
_BOXED_LETTER_BLOCKS = (0x1F150, 0x1F170, 0x1F1E6)
_BOXED = {chr(first + index): chr(ord("a") + index) for first in _BOXED_LETTER_BLOCKS for index in range(26)}

LOOK_ALIKES: dict[str, str] = {**_CYRILLIC, **_GREEK, **_LATIN, **_BOXED}
"""Lower-case character to the Latin letters it passes for."""

NEWS_HANJA: dict[str, str] = {
    "美": "미국", "中": "중국", "日": "일본", "北": "북한", "韓": "한국", "英": "영국",
    "佛": "프랑스", "獨": "독일", "露": "러시아", "伊": "이탈리아", "印": "인도", "與": "여당",
    "野": "야당", "檢": "검찰", "靑": "청와대", "軍": "군", "前": "전", "故": "고",
    "新": "신", "女": "여성", "男": "남성", "社": "사", "株": "주식", "反": "반",
    "對": "대", "大": "대", "小": "소", "年": "년", "月": "월", "火": "화",
    "水": "수", "木": "목", "金": "금", "土": "토", "死": "사망", "車": "차",
    "父": "부친", "母": "모친", "子": "아들", "夫": "남편", "妻": "아내", "家": "가",
    "人": "인", "神": "신", "無": "무", "有": "유", "多": "다", "行": "행",
    "史": "사", "夜": "야", "心": "심", "役": "역", "勝": "승", "性": "성",
    "王": "왕", "外": "외", "內": "내", "後": "후", "先": "선", "高": "고",
    "低": "저", "强": "강", "弱": "약", "全": "전", "發": "발", "展": "전",
    "戰": "전", "會": "회", "黨": "당", "法": "법", "核": "핵", "銀": "은",
    "銅": "동", "富": "부", "李": "이", "朴": "박", "尹": "윤", "文": "문",
    "安": "안", "洪": "홍", "崔": "최", "鄭": "정", "曺": "조", "趙": "조",
}  # fmt: skip
"""Hanja that Korean headlines use alone, and the word each one stands for."""
