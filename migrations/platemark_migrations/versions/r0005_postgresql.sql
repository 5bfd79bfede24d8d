-- Appending in one call, without the inbox where nobody else appends. Statements end at a line that holds only "-- next".

CREATE OR REPLACE FUNCTION sees_all() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = platemark, pg_temp AS $$
  SELECT coalesce(current_setting('platemark.desk', true), '') = ''
     AND (EXISTS (SELECT 1 FROM desk_access a WHERE a.role_name = session_user AND a.desk = '*')
          OR (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user)
          OR session_user = (SELECT c.relowner::regrole::text FROM pg_class c WHERE c.oid = 'platemark.event'::regclass))
$$
-- next
-- Read events as they are spelled, refusing those that this role may not write.
CREATE FUNCTION spelled(ids text[], bodies bytea[], nonces bytea[], ciphertexts bytea[], identities text[], words text[])
RETURNS event_inbox[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  everything boolean := sees_all();
  desks text[] := my_desks();
  rows event_inbox[];
  refused text;
  wrong boolean;
BEGIN
  SELECT array_agg(ROW(NULL, j ->> 'id', (j ->> 'ts')::bigint, j ->> 'type', j ->> 'clip', j ->> 'actor', j ->> 'desk',
                       j ->> 'decision', j ->> 'model', s.body, s.nonce, s.ciphertext, s.identity, s.words)::event_inbox
                   ORDER BY s.n),
         bool_or(s.id IS DISTINCT FROM j ->> 'id' OR length(s.body) > 65535),
         min(coalesce(j ->> 'desk', '')) FILTER (
           WHERE NOT (everything OR j ->> 'desk' IS NULL OR j ->> 'desk' = ANY (desks) OR '*' = ANY (desks)))
  INTO rows, wrong, refused
  FROM (
    SELECT u.*, convert_from(u.body, 'UTF8')::jsonb AS j
    FROM unnest(ids, bodies, nonces, ciphertexts, identities, words) WITH ORDINALITY
      AS u (id, body, nonce, ciphertext, identity, words, n)
  ) AS s;
  IF refused IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = 'this role writes no events for the desk ' || refused;
  ELSIF wrong THEN
    RAISE EXCEPTION 'an event is not spelled as its id and size say';
  END IF;
  RETURN rows;
END $$
-- next
CREATE OR REPLACE FUNCTION stage(ids text[], bodies bytea[], nonces bytea[], ciphertexts bytea[], identities text[],
  words text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
BEGIN
  INSERT INTO event_inbox
    (event_id, ts_us, type, clip, actor, desk, decision, model, body, nonce, ciphertext, identity, words)
  SELECT r.event_id, r.ts_us, r.type, r.clip, r.actor, r.desk, r.decision, r.model, r.body, r.nonce, r.ciphertext,
         r.identity, r.words
  FROM unnest(spelled(ids, bodies, nonces, ciphertexts, identities, words)) AS r
  ON CONFLICT (event_id) DO NOTHING;
END $$
-- next
-- Put events at the end of the log, in the order given; the caller holds the head. One that is there already stays.
-- Returns how many events the log has now.
CREATE FUNCTION place(rows event_inbox[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  start bigint;
  added bigint;
  leaves bytea;
  newest bigint;
BEGIN
  SELECT h.size INTO start FROM log_head h;
  IF EXISTS (SELECT FROM event e WHERE e.event_id IN (SELECT r.event_id FROM unnest(rows) r))
     OR (SELECT count(DISTINCT r.event_id) < count(*) FROM unnest(rows) r) THEN
    SELECT array_agg(ROW(f.*)::event_inbox ORDER BY n) INTO rows FROM (
      SELECT DISTINCT ON (r.event_id) r.n, r.id, r.event_id, r.ts_us, r.type, r.clip, r.actor, r.desk, r.decision,
             r.model, r.body, r.nonce, r.ciphertext, r.identity, r.words
      FROM unnest(rows) WITH ORDINALITY AS r (id, event_id, ts_us, type, clip, actor, desk, decision, model, body, nonce,
                                              ciphertext, identity, words, n)
      WHERE NOT EXISTS (SELECT FROM event e WHERE e.event_id = r.event_id)
      ORDER BY r.event_id, r.n
    ) AS g, LATERAL (SELECT g.id, g.event_id, g.ts_us, g.type, g.clip, g.actor, g.desk, g.decision, g.model, g.body,
                            g.nonce, g.ciphertext, g.identity, g.words) AS f;
  END IF;
  IF coalesce(cardinality(rows), 0) = 0 THEN
    RETURN start;
  END IF;
  WITH logged AS (
    INSERT INTO event (seq, event_id, ts_us, type, clip, actor, desk, decision, model, body, leaf)
    SELECT start + r.n - 1, r.event_id, r.ts_us, r.type, r.clip, r.actor, r.desk, r.decision, r.model, r.body,
           sha256('\x00'::bytea || r.body)
    FROM unnest(rows) WITH ORDINALITY AS r (id, event_id, ts_us, type, clip, actor, desk, decision, model, body, nonce,
                                            ciphertext, identity, words, n)
    RETURNING seq, leaf, ts_us
  )
  SELECT count(*), string_agg(l.leaf, ''::bytea ORDER BY l.seq), max(l.ts_us) INTO added, leaves, newest FROM logged l;
  INSERT INTO actor (pseudonym, identity)
  SELECT DISTINCT ON (r.actor) r.actor, r.identity FROM unnest(rows) r
  WHERE r.identity IS NOT NULL AND r.actor IS NOT NULL
  ON CONFLICT DO NOTHING;
  INSERT INTO sealed_payload (event_id, nonce, ciphertext)
  SELECT r.event_id, r.nonce, r.ciphertext FROM unnest(rows) r WHERE r.ciphertext IS NOT NULL;
  -- Words of sealed parts, where a home asked for a search index.
  INSERT INTO search_word (word, seq)
  SELECT w.word, start + r.n - 1
  FROM unnest(rows) WITH ORDINALITY AS r (id, event_id, ts_us, type, clip, actor, desk, decision, model, body, nonce,
                                          ciphertext, identity, words, n),
       string_to_table(r.words, ' ') AS w (word)
  WHERE r.words IS NOT NULL
  ON CONFLICT DO NOTHING;
  PERFORM extend_tiles(0, start, leaves);
  UPDATE log_head SET size = start + added, last_us = newest;
  RETURN start + added;
END $$
-- next
-- Give places to waiting events. Returns how many events the log has now, or nothing when another is at it and the
-- caller is not patient.
CREATE OR REPLACE FUNCTION integrate(most integer, patient boolean) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  taken event_inbox[];
  total bigint;
BEGIN
  IF patient THEN
    SELECT size INTO total FROM log_head FOR UPDATE;
  ELSIF NOT EXISTS (SELECT FROM event_inbox) THEN
    -- Nothing is written, so there is nothing to sync: many programs look here often.
    RETURN (SELECT size FROM log_head);
  ELSE
    SELECT size INTO total FROM log_head FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
  END IF;
  WITH gone AS (
    DELETE FROM event_inbox i WHERE i.id IN (SELECT w.id FROM event_inbox w ORDER BY w.id LIMIT most) RETURNING i.*
  )
  SELECT array_agg(g::event_inbox ORDER BY g.id) INTO taken FROM gone g;
  RETURN CASE WHEN taken IS NULL THEN total ELSE place(taken) END;
END $$
-- next
-- Keep whom sealed parts are about; a key that was destroyed meanwhile is refused by the foreign key.
CREATE FUNCTION keep_parts(part_ids text[], part_subjects text[], part_keys text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
  INSERT INTO sealed_part (event_id, subject, key_id)
  SELECT p.id, p.subject, p.key FROM unnest(part_ids, part_subjects, part_keys) AS p (id, subject, key)
  ON CONFLICT DO NOTHING
$$
-- next
-- Keep events in the inbox, together with whom their sealed parts are about.
CREATE FUNCTION keep(ids text[], bodies bytea[], nonces bytea[], ciphertexts bytea[], identities text[], words text[],
  part_ids text[], part_subjects text[], part_keys text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
BEGIN
  PERFORM stage(ids, bodies, nonces, ciphertexts, identities, words);
  IF cardinality(part_ids) > 0 THEN
    PERFORM keep_parts(part_ids, part_subjects, part_keys);
  END IF;
END $$
-- next
-- Say where events are, and what the tree is; the leaf hashes from `known` on, or none where they are too many.
CREATE FUNCTION found(ids text[], known bigint, OUT seqs bigint[], OUT tree_size bigint, OUT leaves bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
BEGIN
  SELECT array_agg(e.seq ORDER BY u.n) INTO seqs
  FROM unnest(ids) WITH ORDINALITY AS u (id, n) JOIN event e ON e.event_id = u.id;
  SELECT h.size INTO tree_size FROM log_head h;
  IF known <= tree_size AND tree_size - known <= 2048 THEN
    SELECT substr(string_agg(t.hashes, ''::bytea ORDER BY t.idx), ((known % 256) * 32 + 1)::integer) INTO leaves
    FROM tile t WHERE t.level = 0 AND t.idx >= known / 256;
    leaves := coalesce(leaves, ''::bytea);
  END IF;
END $$
-- next
-- Tell whether all of these events have places.
CREATE FUNCTION placed(ids text[]) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
  SELECT (SELECT count(*) FROM event e WHERE e.event_id = ANY (ids)) = (SELECT count(DISTINCT u) FROM unnest(ids) u)
$$
-- next
-- Give events that were kept their places within this transaction, however long that takes.
CREATE FUNCTION settle_here(ids text[], known bigint, OUT seqs bigint[], OUT tree_size bigint, OUT leaves bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
BEGIN
  -- Staging may have been told not to wait for the disk; a place is only told once it is there.
  PERFORM set_config('synchronous_commit', 'on', true);
  LOOP
    PERFORM integrate(1024, true);
    EXIT WHEN placed(ids);
    IF NOT EXISTS (SELECT FROM event_inbox i WHERE i.event_id = ANY (ids)) AND NOT placed(ids) THEN
      RAISE EXCEPTION 'events that were kept have gone from the inbox';
    END IF;
  END LOOP;
  SELECT f.seqs, f.tree_size, f.leaves INTO seqs, tree_size, leaves FROM found(ids, known) f;
END $$
-- next
-- Give events that were kept their places where nobody else gives out any; else wait for whoever does, and say where
-- they are, or nothing where that was in vain: ask again then. Locks are advisory, because taking them writes nothing,
-- and those who wait share theirs, so that all of them learn at once.
CREATE FUNCTION settle(ids text[], known bigint, OUT seqs bigint[], OUT tree_size bigint, OUT leaves bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
BEGIN
  IF pg_try_advisory_xact_lock(hashtext('platemark.places')) THEN
    IF placed(ids) THEN
      SELECT f.seqs, f.tree_size, f.leaves INTO seqs, tree_size, leaves FROM found(ids, known) f;
    ELSE
      SELECT f.seqs, f.tree_size, f.leaves INTO seqs, tree_size, leaves FROM settle_here(ids, known) f;
    END IF;
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(hashtext('platemark.places'));
  IF placed(ids) THEN
    SELECT f.seqs, f.tree_size, f.leaves INTO seqs, tree_size, leaves FROM found(ids, known) f;
  END IF;
END $$
-- next
-- Append events. Where nobody else is at it they go straight to the end of the log, behind those that wait. Else they
-- are kept, not yet on the disk, and nothing is returned: ask `settle`, whose commit takes them along.
CREATE FUNCTION append(ids text[], bodies bytea[], nonces bytea[], ciphertexts bytea[], identities text[],
  words text[], part_ids text[], part_subjects text[], part_keys text[], known bigint,
  OUT seqs bigint[], OUT tree_size bigint, OUT leaves bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  held bigint;
BEGIN
  IF pg_try_advisory_xact_lock(hashtext('platemark.places')) THEN
    SELECT h.size INTO held FROM log_head h FOR UPDATE SKIP LOCKED;
  END IF;
  IF held IS NULL THEN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM keep(ids, bodies, nonces, ciphertexts, identities, words, part_ids, part_subjects, part_keys);
    RETURN;
  END IF;
  WHILE EXISTS (SELECT FROM event_inbox) LOOP
    PERFORM integrate(1024, true);
  END LOOP;
  PERFORM place(spelled(ids, bodies, nonces, ciphertexts, identities, words));
  IF cardinality(part_ids) > 0 THEN
    PERFORM keep_parts(part_ids, part_subjects, part_keys);
  END IF;
  SELECT f.seqs, f.tree_size, f.leaves INTO seqs, tree_size, leaves FROM found(ids, known) f;
END $$
-- next
REVOKE ALL ON FUNCTION spelled, place, keep_parts, keep, found, placed, settle_here, settle, append FROM PUBLIC
-- next
-- Whoever was granted a desk before this revision may use the new ways in as well.
DO $$
DECLARE
  granted name;
BEGIN
  FOR granted IN SELECT DISTINCT a.role_name FROM platemark.desk_access a JOIN pg_roles r ON r.rolname = a.role_name LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION platemark.keep, platemark.settle_here, platemark.settle, '
      'platemark.append TO %I', granted);
  END LOOP;
END $$
