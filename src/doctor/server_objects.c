/* What lies broken or unfinished in the database, and what runs out. */
#include "doctor/server_int.h"

enum { SHOWN_OBJECTS = 50 };

static void
look_at_indexes(Doctor *d, Session *s)
{
    /* One that is being built now is not valid either; which one, not every role may see. */
    const DbRows *r = doctor_ask(
        d, s, "indexes",
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.format('%I.%I', "
        "n.nspname,"
        " t.relname), c.relkind = 'I', c.relname ~ '_cc(new|old)[0-9]*$', EXISTS (SELECT FROM"
        " pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid OR (p.index_relid "
        "= 0 AND"
        " p.relid = t.oid) OR (p.relid IS NULL AND p.datname = pg_catalog.current_database())), "
        "EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = "
        "c.oid) FROM"
        " pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN"
        " pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid ="
        " c.relnamespace WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND n.nspname !~"
        " '^pg_toast|^pg_temp' ORDER BY 1 LIMIT 51");
    for (int i = 0; r && i < r->rows && i < SHOWN_OBJECTS; i++) {
        const char *name = doctor_text(d, r, i, 0), *table = doctor_text(d, r, i, 1);
        if (doctor_true(r, i, 4))
            doctor_add(d, FINDING_SERVER_INDEX, SEV_NOTICE, name, "wait until it is built",
                       "is being built now, on %s", table);
        else if (doctor_true(r, i, 2))
            doctor_add(d, FINDING_SERVER_INDEX, SEV_WARNING, name,
                       str_fmt(d->arena,
                               "build what is missing on the partitions of %s, then ALTER INDEX %s "
                               "ATTACH PARTITION ...",
                               table, name),
                       "of partitioned %s is not valid: a partition lacks its part", table);
        else
            doctor_add(d, FINDING_SERVER_INDEX, SEV_ERROR, name,
                       doctor_true(r, i, 3)
                           ? str_fmt(d->arena,
                                     "DROP INDEX CONCURRENTLY %s (a left-over of "
                                     "REINDEX CONCURRENTLY)",
                                     name)
                           : str_fmt(d->arena, "REINDEX INDEX CONCURRENTLY %s", name),
                       "on %s is not valid: it is maintained by every write and used by no query%s",
                       table, doctor_true(r, i, 5) ? "" : "; IF NOT EXISTS takes it for made");
    }
    if (r && !r->rows)
        doctor_add(d, FINDING_SERVER_INDEX, SEV_OK, NULL, NULL, "all indexes are valid");
}

static void
look_at_constraints(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(
        d, s, "constraints",
        db_info(s->db)->version >= 180000
            ? "SELECT pg_catalog.format('%I.%I', n.nspname, t.relname), k.conname,"
              " pg_catalog.quote_ident(k.conname), k.conenforced FROM pg_catalog.pg_constraint k "
              "JOIN"
              " pg_catalog.pg_class t ON t.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON "
              "n.oid ="
              " t.relnamespace WHERE NOT k.convalidated AND k.conparentid = 0 ORDER BY 1, 2 LIMIT "
              "51"
            : "SELECT pg_catalog.format('%I.%I', n.nspname, t.relname), k.conname,"
              " pg_catalog.quote_ident(k.conname), true FROM pg_catalog.pg_constraint k JOIN"
              " pg_catalog.pg_class t ON t.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON "
              "n.oid ="
              " t.relnamespace WHERE NOT k.convalidated AND k.conparentid = 0 ORDER BY 1, 2 LIMIT "
              "51");
    for (int i = 0; r && i < r->rows && i < SHOWN_OBJECTS; i++) {
        bool enforced = doctor_true(r, i, 3);
        doctor_add(d, FINDING_SERVER_CONSTRAINT, enforced ? SEV_WARNING : SEV_NOTICE,
                   str_fmt(d->arena, "%s on %s", doctor_text(d, r, i, 1), doctor_text(d, r, i, 0)),
                   enforced
                       ? str_fmt(d->arena,
                                 "ALTER TABLE %s VALIDATE CONSTRAINT %s (writers go on meanwhile)",
                                 doctor_text(d, r, i, 0), doctor_text(d, r, i, 2))
                       : NULL,
                   enforced ? "holds for new rows only: old ones were never checked (NOT VALID)"
                            : "is not enforced (NOT ENFORCED)");
    }
    if (r && !r->rows)
        doctor_add(d, FINDING_SERVER_CONSTRAINT, SEV_OK, NULL, NULL,
                   "all constraints are validated");
}

/* Each sequence with the columns that it feeds: its own (SERIAL, identity), and those whose default
 * asks it. What counts is the smaller of its end and the column's type. */
static const char sequences_sql[] =
    "WITH fed AS (SELECT p.objid AS seq, p.refobjid AS rel, p.refobjsubid AS att FROM"
    "  pg_catalog.pg_depend p WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND "
    "p.refclassid ="
    "  'pg_catalog.pg_class'::pg_catalog.regclass AND p.deptype IN ('a', 'i') AND p.refobjsubid > 0"
    " UNION SELECT p.refobjid, f.adrelid, f.adnum FROM pg_catalog.pg_depend p JOIN"
    "  pg_catalog.pg_attrdef f ON f.oid = p.objid WHERE p.classid ="
    "  'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.refclassid ="
    "  'pg_catalog.pg_class'::pg_catalog.regclass), "
    "seen AS (SELECT q.seqrelid, q.seqmax, q.seqmin, q.seqincrement, q.seqcycle,"
    "  pg_catalog.has_sequence_privilege(q.seqrelid, 'SELECT,USAGE') AS visible,"
    "  CASE WHEN pg_catalog.has_sequence_privilege(q.seqrelid, 'SELECT,USAGE') THEN"
    "  pg_catalog.pg_sequence_last_value(q.seqrelid) END AS last FROM pg_catalog.pg_sequence q), "
    "ends AS (SELECT s.*, a.attname, a.atttypid, f.rel, CASE WHEN s.seqincrement > 0 THEN"
    "  LEAST(s.seqmax, CASE a.atttypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE s.seqmax "
    "END)"
    "  ELSE GREATEST(s.seqmin, CASE a.atttypid WHEN 21 THEN -32768 WHEN 23 THEN -2147483648 ELSE"
    "  s.seqmin END) END AS last_of_all FROM seen s LEFT JOIN fed f ON f.seq = s.seqrelid LEFT JOIN"
    "  pg_catalog.pg_attribute a ON a.attrelid = f.rel AND a.attnum = f.att) "
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(tn.nspname) "
    "|| '.' ||"
    " pg_catalog.quote_ident(t.relname), pg_catalog.quote_ident(e.attname), e.last, e.last_of_all, "
    "pg_catalog.floor(100 *"
    " e.last::numeric / e.last_of_all)::int, e.last_of_all = CASE WHEN e.seqincrement > 0 THEN"
    " e.seqmax ELSE e.seqmin END, e.visible, pg_catalog.format_type(e.atttypid, NULL) FROM ends e "
    "JOIN"
    " pg_catalog.pg_class c ON c.oid = e.seqrelid JOIN"
    " pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_class t ON t.oid "
    "="
    " e.rel LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace WHERE NOT e.visible OR"
    " (e.last_of_all <> 0 AND 100 * e.last::numeric / e.last_of_all >= 70 AND NOT (e.seqcycle AND"
    " e.last_of_all = CASE WHEN e.seqincrement > 0 THEN e.seqmax ELSE e.seqmin END))"
    " ORDER BY e.visible DESC, 6 DESC NULLS LAST, 1, 2, 3 LIMIT 51";

static void
look_at_sequences(Doctor *d, Session *s)
{
    if (db_info(s->db)->in_recovery) /* values of unlogged sequences cannot be read there */
        return;
    const DbRows *r = doctor_ask(d, s, "sequences", sequences_sql);
    int near = 0, hidden = 0;
    for (int i = 0; r && i < r->rows; i++) {
        if (!doctor_true(r, i, 7)) {
            hidden++;
            continue;
        }
        int64_t percent = doctor_int(r, i, 5);
        const char *seq = doctor_text(d, r, i, 0);
        bool has_column = !doctor_null(r, i, 2);
        const char *column = has_column ? str_fmt(d->arena, "%s.%s", doctor_text(d, r, i, 1),
                                                  doctor_text(d, r, i, 2))
                                        : "no column";
        bool big = str_is(db_cell(r, i, 8), "bigint");
        near++;
        doctor_add(
            d, FINDING_SERVER_SEQUENCE, percent >= 90 ? SEV_ERROR : SEV_WARNING, seq,
            has_column && !big
                ? str_fmt(d->arena,
                          "make %s bigint before it is full (ALTER TABLE ... TYPE bigint rewrites "
                          "the table under a lock: with much data, fill a new column and swap), "
                          "and ALTER SEQUENCE %s AS bigint",
                          column, seq)
                : str_fmt(d->arena, "ALTER SEQUENCE %s AS bigint NO MAXVALUE", seq),
            "%lld %% used: at %s of %s, %s%s%s", (long long)percent, doctor_text(d, r, i, 3),
            doctor_text(d, r, i, 4),
            doctor_true(r, i, 6) ? "its own end" : "the end of its column's type",
            has_column ? "; feeds " : "", has_column ? column : "");
    }
    if (hidden)
        doctor_add(d, FINDING_SERVER_HIDDEN, SEV_NOTICE, "sequences",
                   str_fmt(d->arena, "as an administrator: GRANT pg_read_all_data TO %s",
                           doctor_ident(d, NULL, db_info(s->db)->user)),
                   "%s%s not visible to this role",
                   r->rows > 50 ? "50 and more sequences" : str_count(d->arena, hidden, "sequence"),
                   hidden == 1 ? " is" : " are");
    if (r && !near && !hidden)
        doctor_add(d, FINDING_SERVER_SEQUENCE, SEV_OK, NULL, NULL, "no sequence is above 70 %%");
}

/* https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND */
static void
look_at_ages(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(
        d, s, "ages",
        "SELECT b.datname, pg_catalog.age(b.datfrozenxid), pg_catalog.mxid_age(b.datminmxid) FROM"
        " pg_catalog.pg_database b ORDER BY GREATEST(pg_catalog.age(b.datfrozenxid),"
        " pg_catalog.mxid_age(b.datminmxid)) DESC LIMIT 1");
    if (!r || !r->rows)
        return;
    int64_t age = doctor_int(r, 0, 1), mxid = doctor_int(r, 0, 2);
    int64_t worst = age > mxid ? age : mxid;
    Severity level = worst >= 1500000000 ? SEV_ERROR : worst >= 1000000000 ? SEV_WARNING : SEV_OK;
    doctor_add(d, FINDING_SERVER_WRAPAROUND, level, doctor_text(d, r, 0, 0),
               level == SEV_OK
                   ? NULL
                   : "end old transactions, prepared ones and slots that nobody reads, then "
                     "VACUUM (FREEZE) in that database",
               "%lld million %s old: the server stops taking writes near 2 100 million",
               (long long)(worst / 1000000), age > mxid ? "transactions" : "multixacts");
}

void
doctor_server_objects(Doctor *d, Session *s)
{
    look_at_indexes(d, s);
    look_at_constraints(d, s);
    look_at_sequences(d, s);
    look_at_ages(d, s);
}
