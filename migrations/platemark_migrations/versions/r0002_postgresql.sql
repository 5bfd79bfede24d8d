-- The whole ledger on PostgreSQL, which begins with this revision. Statements end at a line that holds only "-- next".
-- Everything lives in the schema `platemark`. The log is written through the functions below and by nothing else: they
-- run with the rights of their owner, so a program needs EXECUTE on them and SELECT on what its desks may read.

CREATE TABLE event (
  seq bigint NOT NULL PRIMARY KEY,
  event_id text NOT NULL,
  ts_us bigint NOT NULL,
  type text NOT NULL,
  clip text,
  actor text,
  desk text,
  decision text,
  model text,
  body bytea NOT NULL,
  leaf bytea NOT NULL,
  CONSTRAINT ck_event_seq CHECK (seq >= 0),
  CONSTRAINT ck_event_leaf CHECK (length(leaf) = 32)
)
-- next
CREATE UNIQUE INDEX ux_event_event_id ON event (event_id)
-- next
CREATE INDEX ix_event_ts ON event (ts_us, seq)
-- next
CREATE INDEX ix_event_type ON event (type, seq)
-- next
CREATE INDEX ix_event_clip ON event (clip, seq)
-- next
CREATE INDEX ix_event_actor ON event (actor, seq)
-- next
CREATE INDEX ix_event_desk ON event (desk, seq)
-- next
CREATE INDEX ix_event_decision ON event (decision, seq) WHERE decision IS NOT NULL
-- next
CREATE TABLE tile (
  level integer NOT NULL,
  idx bigint NOT NULL,
  width integer NOT NULL,
  hashes bytea NOT NULL,
  PRIMARY KEY (level, idx),
  CONSTRAINT ck_tile_width CHECK (width BETWEEN 1 AND 256),
  CONSTRAINT ck_tile_hashes CHECK (length(hashes) = width * 32)
)
-- next
-- Hashes do not compress; trying to would be most of the work of growing a tile.
ALTER TABLE tile ALTER COLUMN hashes SET STORAGE EXTERNAL
-- next
CREATE TABLE checkpoint (
  size bigint NOT NULL PRIMARY KEY,
  root bytea NOT NULL,
  note bytea NOT NULL,
  CONSTRAINT ck_checkpoint_root CHECK (length(root) = 32)
)
-- next
CREATE TABLE anchor (
  size bigint NOT NULL CONSTRAINT fk_anchor_checkpoint REFERENCES checkpoint (size),
  kind text NOT NULL,
  target text NOT NULL,
  state text NOT NULL,
  evidence bytea,
  changed_us bigint NOT NULL,
  PRIMARY KEY (size, kind, target),
  CONSTRAINT ck_anchor_kind CHECK (kind IN ('directory', 's3', 'timestamp', 'witness')),
  CONSTRAINT ck_anchor_state CHECK (state IN ('waiting', 'kept')),
  CONSTRAINT ck_anchor_evidence CHECK (state <> 'kept' OR evidence IS NOT NULL)
)
-- next
CREATE INDEX ix_anchor_waiting ON anchor (size) WHERE state = 'waiting'
-- next
CREATE TABLE sealed_payload (
  event_id text NOT NULL PRIMARY KEY CONSTRAINT fk_sealed_payload_event REFERENCES event (event_id),
  nonce bytea NOT NULL,
  ciphertext bytea NOT NULL
)
-- next
CREATE TABLE actor (pseudonym text NOT NULL PRIMARY KEY, identity text NOT NULL)
-- next
CREATE TABLE mark (
  clip_id text NOT NULL PRIMARY KEY,
  mark_id bytea NOT NULL,
  request_sha256 text NOT NULL,
  state text NOT NULL,
  fingerprint bytea,
  issued_us bigint NOT NULL,
  CONSTRAINT ck_mark_mark_id CHECK (length(mark_id) = 8),
  CONSTRAINT ck_mark_state CHECK (state IN ('reserved', 'bound', 'released')),
  CONSTRAINT ck_mark_fingerprint CHECK (state <> 'bound' OR fingerprint IS NOT NULL)
)
-- next
CREATE INDEX ix_mark_mark_id ON mark (mark_id, issued_us)
-- next
CREATE TABLE manifest (
  clip_id text NOT NULL PRIMARY KEY,
  label text NOT NULL,
  sha256 text NOT NULL,
  body bytea NOT NULL
)
-- next
CREATE UNIQUE INDEX ux_manifest_label ON manifest (label)
-- next
CREATE TABLE output (
  job_id text NOT NULL PRIMARY KEY,
  clip_id text NOT NULL,
  final_path text NOT NULL,
  part_path text NOT NULL,
  state text NOT NULL,
  sha256 text,
  mark_id bytea,
  created_us bigint NOT NULL,
  published_us bigint,
  CONSTRAINT ck_output_state CHECK (state IN ('intended', 'published', 'abandoned')),
  CONSTRAINT ck_output_published CHECK (state <> 'published' OR (sha256 IS NOT NULL AND published_us IS NOT NULL))
)
-- next
CREATE INDEX ix_output_clip_id ON output (clip_id)
-- next
CREATE INDEX ix_output_sha256 ON output (sha256)
-- next
CREATE INDEX ix_output_intended ON output (created_us) WHERE state = 'intended'
-- next
-- Events that are kept and have no place yet, in the order in which they came.
CREATE TABLE event_inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id text NOT NULL UNIQUE,
  ts_us bigint NOT NULL,
  type text NOT NULL,
  clip text,
  actor text,
  desk text,
  decision text,
  model text,
  body bytea NOT NULL,
  nonce bytea,
  ciphertext bytea,
  identity text,
  words text
)
-- next
-- One row. Whoever has locked it is the one that gives out places; the lock ends with the transaction, whatever becomes
-- of its holder, so nobody can believe to hold it who does not.
CREATE TABLE log_head (one boolean NOT NULL PRIMARY KEY CHECK (one), size bigint NOT NULL, last_us bigint)
-- next
INSERT INTO log_head VALUES (true, 0, NULL)
-- next
-- Which role may write and read for which desk; '*' is every desk, and the events of none.
CREATE TABLE desk_access (role_name name NOT NULL, desk text NOT NULL, PRIMARY KEY (role_name, desk))
-- next
CREATE FUNCTION my_desks() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = platemark, pg_temp AS $$
  SELECT coalesce(array_agg(a.desk), '{}')
  FROM desk_access a
  WHERE a.role_name = session_user
    AND coalesce(nullif(current_setting('platemark.desk', true), ''), a.desk) = a.desk
$$
-- next
CREATE FUNCTION sees_all() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = platemark, pg_temp AS $$
  SELECT coalesce(current_setting('platemark.desk', true), '') = ''
     AND (EXISTS (SELECT 1 FROM desk_access a WHERE a.role_name = session_user AND a.desk = '*')
          OR (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user)
          OR session_user = (SELECT tableowner FROM pg_tables WHERE schemaname = 'platemark' AND tablename = 'event'))
$$
-- next
CREATE FUNCTION stage(ids text[], bodies bytea[], nonces bytea[], ciphertexts bytea[], identities text[], words text[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  everything boolean := sees_all();
  desks text[] := my_desks();
  refused text;
BEGIN
  WITH spelled AS MATERIALIZED (
    SELECT u.*, convert_from(u.body, 'UTF8')::jsonb AS j
    FROM unnest(ids, bodies, nonces, ciphertexts, identities, words) WITH ORDINALITY
      AS u (id, body, nonce, ciphertext, identity, words, n)
  ), kept AS (
    INSERT INTO event_inbox
      (event_id, ts_us, type, clip, actor, desk, decision, model, body, nonce, ciphertext, identity, words)
    SELECT j ->> 'id', (j ->> 'ts')::bigint, j ->> 'type', j ->> 'clip', j ->> 'actor', j ->> 'desk',
           j ->> 'decision', j ->> 'model', s.body, s.nonce, s.ciphertext, s.identity, s.words
    FROM spelled s ORDER BY n
    ON CONFLICT (event_id) DO NOTHING
  )
  SELECT coalesce(s.j ->> 'desk', 'none') INTO refused
  FROM spelled s
  WHERE s.id IS DISTINCT FROM s.j ->> 'id' OR length(s.body) > 65535
     OR NOT (everything OR s.j ->> 'desk' IS NULL OR s.j ->> 'desk' = ANY (desks))
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'this role writes no events for the desk ' || refused;
  END IF;
END $$
-- next
CREATE FUNCTION subtree_root(content bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE
SET search_path = platemark, pg_temp AS $$
DECLARE
  hashes bytea := content;
BEGIN
  WHILE length(hashes) > 32 LOOP
    SELECT string_agg(sha256('\x01'::bytea || substr(hashes, i * 64 + 1, 64)), ''::bytea ORDER BY i) INTO hashes
    FROM generate_series(0, length(hashes) / 64 - 1) AS i;
  END LOOP;
  RETURN hashes;
END $$
-- next
CREATE FUNCTION extend_tiles(p_level bigint, p_start bigint, p_hashes bytea) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  at bigint := p_start;
  rest bytea := p_hashes;
  piece bytea;
  content bytea;
  above bytea := ''::bytea;
BEGIN
  WHILE length(rest) > 0 LOOP
    piece := substr(rest, 1, ((256 - at % 256) * 32)::integer);
    rest := substr(rest, length(piece) + 1);
    IF at % 256 = 0 THEN
      INSERT INTO tile (level, idx, width, hashes) VALUES (p_level, at / 256, length(piece) / 32, piece)
      RETURNING tile.hashes INTO content;
    ELSE
      UPDATE tile t SET width = t.width + length(piece) / 32, hashes = t.hashes || piece
      WHERE t.level = p_level AND t.idx = at / 256 AND t.width = at % 256
      RETURNING t.hashes INTO content;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'the tree does not end where the log does';
      END IF;
    END IF;
    at := at + length(piece) / 32;
    IF at % 256 = 0 THEN
      above := above || subtree_root(content);
    END IF;
  END LOOP;
  IF length(above) > 0 THEN
    PERFORM extend_tiles(p_level + 1, p_start / 256, above);
  END IF;
END $$
-- next
-- Give places to waiting events. Returns how many events the log has now, or nothing when another is at it and the
-- caller is not patient.
CREATE FUNCTION integrate(most integer, patient boolean) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
DECLARE
  start bigint;
  added bigint;
  leaves bytea;
  newest bigint;
BEGIN
  IF patient THEN
    SELECT size INTO start FROM log_head FOR UPDATE;
  ELSE
    SELECT size INTO start FROM log_head FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
  END IF;
  WITH taken AS (
    DELETE FROM event_inbox i WHERE i.id IN (SELECT w.id FROM event_inbox w ORDER BY w.id LIMIT most) RETURNING i.*
  ), fresh AS MATERIALIZED (
    SELECT t.*, start + row_number() OVER (ORDER BY t.id) - 1 AS seq
    FROM taken t WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.event_id = t.event_id)
  ), people AS (
    INSERT INTO actor (pseudonym, identity)
    SELECT DISTINCT ON (f.actor) f.actor, f.identity FROM fresh f WHERE f.identity IS NOT NULL AND f.actor IS NOT NULL
    ON CONFLICT DO NOTHING
  ), hidden AS (
    INSERT INTO sealed_payload (event_id, nonce, ciphertext)
    SELECT f.event_id, f.nonce, f.ciphertext FROM fresh f WHERE f.ciphertext IS NOT NULL
  ), spelled AS (
    -- Words of sealed parts, where a home asked for a search index; the table comes with a later revision.
    INSERT INTO search_word (word, seq)
    SELECT w.word, f.seq FROM fresh f, string_to_table(f.words, ' ') AS w (word) WHERE f.words IS NOT NULL
    ON CONFLICT DO NOTHING
  ), logged AS (
    INSERT INTO event (seq, event_id, ts_us, type, clip, actor, desk, decision, model, body, leaf)
    SELECT f.seq, f.event_id, f.ts_us, f.type, f.clip, f.actor, f.desk, f.decision, f.model, f.body,
           sha256('\x00'::bytea || f.body)
    FROM fresh f ORDER BY f.seq
    RETURNING seq, leaf, ts_us
  )
  SELECT count(*), string_agg(l.leaf, ''::bytea ORDER BY l.seq), max(l.ts_us) INTO added, leaves, newest FROM logged l;
  IF added > 0 THEN
    PERFORM extend_tiles(0, start, leaves);
    UPDATE log_head SET size = start + added, last_us = newest;
  END IF;
  RETURN start + added;
END $$
-- next
-- Where events are: their places, whoever may read them.
CREATE FUNCTION places(ids text[]) RETURNS TABLE (event_id text, seq bigint) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
  SELECT e.event_id, e.seq FROM event e WHERE e.event_id = ANY (ids)
$$
-- next
CREATE FUNCTION remember_checkpoint(p_size bigint, p_root bytea, p_note bytea) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = platemark, pg_temp AS $$
  INSERT INTO checkpoint (size, root, note) VALUES (p_size, p_root, p_note)
$$
-- next
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = platemark, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END $$
-- next
CREATE FUNCTION guard_order() RETURNS trigger LANGUAGE plpgsql SET search_path = platemark, pg_temp AS $$
DECLARE
  first bigint;
  last bigint;
  number bigint;
BEGIN
  SELECT min(a.seq), max(a.seq), count(*) INTO first, last, number FROM added a;
  IF number > 0 AND (first <> (SELECT h.size FROM log_head h) OR last - first + 1 <> number) THEN
    RAISE EXCEPTION 'the ledger is append-only';
  END IF;
  RETURN NULL;
END $$
-- next
CREATE FUNCTION guard_tile() RETURNS trigger LANGUAGE plpgsql SET search_path = platemark, pg_temp AS $$
BEGIN
  IF NEW.level <> OLD.level OR NEW.idx <> OLD.idx OR NEW.width <= OLD.width
     OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes THEN
    RAISE EXCEPTION 'a tile only grows at its end';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE FUNCTION guard_checkpoint() RETURNS trigger LANGUAGE plpgsql SET search_path = platemark, pg_temp AS $$
BEGIN
  IF NEW.size <= (SELECT coalesce(max(c.size), -1) FROM checkpoint c) THEN
    RAISE EXCEPTION 'a signed checkpoint stays as it is';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE FUNCTION guard_head() RETURNS trigger LANGUAGE plpgsql SET search_path = platemark, pg_temp AS $$
BEGIN
  IF NEW.size <= OLD.size OR NEW.size <> (SELECT max(e.seq) + 1 FROM event e) THEN
    RAISE EXCEPTION 'the ledger is append-only';
  END IF;
  RETURN NEW;
END $$
-- next
CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event EXECUTE FUNCTION refuse_change()
-- next
CREATE TRIGGER event_in_order AFTER INSERT ON event REFERENCING NEW TABLE AS added EXECUTE FUNCTION guard_order()
-- next
CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tile FOR EACH ROW EXECUTE FUNCTION guard_tile()
-- next
CREATE TRIGGER tile_no_delete BEFORE DELETE OR TRUNCATE ON tile EXECUTE FUNCTION refuse_change()
-- next
CREATE TRIGGER checkpoint_in_order BEFORE INSERT ON checkpoint FOR EACH ROW EXECUTE FUNCTION guard_checkpoint()
-- next
CREATE TRIGGER checkpoint_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint EXECUTE FUNCTION refuse_change()
-- next
CREATE TRIGGER head_only_grows BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION guard_head()
-- next
CREATE TRIGGER head_stays BEFORE INSERT OR DELETE OR TRUNCATE ON log_head EXECUTE FUNCTION refuse_change()
-- next
-- ALWAYS: they fire for replication roles too, which switch ordinary triggers off.
ALTER TABLE event ENABLE ALWAYS TRIGGER event_no_change
-- next
ALTER TABLE event ENABLE ALWAYS TRIGGER event_in_order
-- next
ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_only_grows
-- next
ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_no_delete
-- next
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_in_order
-- next
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_no_change
-- next
ALTER TABLE log_head ENABLE ALWAYS TRIGGER head_only_grows
-- next
ALTER TABLE log_head ENABLE ALWAYS TRIGGER head_stays
-- next
ALTER TABLE event ENABLE ROW LEVEL SECURITY
-- next
CREATE POLICY by_desk ON event FOR SELECT
USING ((SELECT sees_all()) OR desk = ANY ((SELECT my_desks())::text[]) OR '*' = ANY ((SELECT my_desks())::text[]))
-- next
ALTER TABLE sealed_payload ENABLE ROW LEVEL SECURITY
-- next
CREATE POLICY by_event ON sealed_payload FOR SELECT
USING ((SELECT sees_all()) OR EXISTS (SELECT 1 FROM event e WHERE e.event_id = sealed_payload.event_id))
-- next
ALTER TABLE actor ENABLE ROW LEVEL SECURITY
-- next
CREATE POLICY by_event ON actor FOR SELECT
USING ((SELECT sees_all()) OR EXISTS (SELECT 1 FROM event e WHERE e.actor = actor.pseudonym))
-- next
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA platemark FROM PUBLIC
