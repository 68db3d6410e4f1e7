/* Large objects. */
#include "backup/native_int.h"

#include <inttypes.h>

enum {
    OBJECT_PIECE = 16384, /* of a large object in one statement, as pg_dump has it */
    OBJECT_BATCH = 128,   /* large objects in one message */
    OBJECT_ROUND = 64,    /* pieces of a longer one in one message */
};

bool
native_list_objects(NativeDumper *d, Arena *a, const DbRows **ret)
{
    return native_ask(
        d, a,
        STR("SELECT m.oid, pg_catalog.concat("
            "pg_catalog.format(E'ALTER LARGE OBJECT %s OWNER TO %I;\\n', m.oid, "
            "pg_catalog.pg_get_userbyid(m.lomowner)), CASE WHEN m.lomacl IS NOT NULL THEN "
            "pg_catalog.format(E'REVOKE ALL ON LARGE OBJECT %s FROM %I;\\n', m.oid, "
            "pg_catalog.pg_get_userbyid(m.lomowner)) END, (SELECT pg_catalog.string_agg("
            "pg_catalog.format(E'GRANT %s ON LARGE OBJECT %s TO %s%s;\\n', x.privilege_type, "
            "m.oid, CASE WHEN r.oid IS NULL THEN 'PUBLIC' ELSE "
            "pg_catalog.quote_ident(r.rolname) END, CASE WHEN x.is_grantable THEN "
            "' WITH GRANT OPTION' END), '' ORDER BY x.grantee, x.privilege_type) FROM "
            "pg_catalog.aclexplode(m.lomacl) x LEFT JOIN pg_catalog.pg_roles r ON r.oid "
            "OPERATOR(pg_catalog.=) x.grantee), (SELECT pg_catalog.format("
            "E'COMMENT ON LARGE OBJECT %s IS %L;\\n', m.oid, c.description) FROM "
            "pg_catalog.pg_description c WHERE c.classoid OPERATOR(pg_catalog.=) "
            "'pg_catalog.pg_largeobject'::pg_catalog.regclass AND c.objoid "
            "OPERATOR(pg_catalog.=) m.oid)) "
            "FROM pg_catalog.pg_largeobject_metadata m ORDER BY m.oid"),
        ret);
}

/* One piece of an object, as hexadecimal digits. */
static bool
put_piece(NativeDumper *d, Str hex)
{
    return native_put(d, STR("SELECT pg_catalog.lowrite(0, '\\x")) && native_put(d, hex) &&
           native_put(d, STR("');\n"));
}

/* The pieces of an object from piece number `from` on. */
static bool
put_long_object(NativeDumper *d, const char *oid)
{
    for (int64_t from = 1;; from += OBJECT_ROUND) {
        ARENA_LOCAL(a);
        const DbRows *rows;
        if (!native_ask(
                d, a,
                str_of(str_fmt(a,
                               "SELECT pg_catalog.encode(pg_catalog.lo_get(%s, (i OPERATOR("
                               "pg_catalog.*) %d)::pg_catalog.int8, %d), 'hex') FROM "
                               "pg_catalog.generate_series(%" PRId64 "::pg_catalog.int8, %" PRId64
                               "::pg_catalog.int8) i ORDER BY i",
                               oid, OBJECT_PIECE, OBJECT_PIECE, from, from + OBJECT_ROUND - 1)),
                &rows))
            return false;
        for (int i = 0; i < rows->rows; i++) {
            Str hex = db_cell(rows, i, 0);
            if (hex.n && !put_piece(d, hex))
                return false;
            if (hex.n < 2 * OBJECT_PIECE)
                return true;
        }
    }
}

bool
native_put_objects(NativeDumper *d, const DbRows *list)
{
    if (!native_put_title(d, "Data", NULL, "large objects") || !native_put(d, STR("BEGIN;\n\n")))
        return false;
    for (int i = 0; i < list->rows; i += OBJECT_BATCH) {
        ARENA_LOCAL(a);
        int end = i + OBJECT_BATCH < list->rows ? i + OBJECT_BATCH : list->rows;
        Buf sql;
        buf_init(&sql, a);
        buf_addz(&sql, "SELECT pg_catalog.encode(pg_catalog.lo_get(x.oid, 0, ");
        buf_fmt(&sql, "%d), 'hex') FROM pg_catalog.unnest('{", OBJECT_PIECE);
        for (int k = i; k < end; k++)
            buf_fmt(&sql, "%s%s", k > i ? "," : "", db_cell(list, k, 0).p);
        buf_addz(&sql, "}'::pg_catalog.oid[]) WITH ORDINALITY x(oid, n) ORDER BY x.n");
        const DbRows *rows;
        if (!native_ask(d, a, buf_str(&sql), &rows))
            return false;
        for (int k = i; k < end; k++) {
            const char *oid = db_cell(list, k, 0).p;
            Str hex = db_cell(rows, k - i, 0);
            if (!native_put_fmt(d, "SELECT pg_catalog.lo_open('%s', 131072);\n", oid) ||
                (hex.n && !put_piece(d, hex)) ||
                (hex.n == 2 * OBJECT_PIECE && !put_long_object(d, oid)) ||
                !native_put(d, STR("SELECT pg_catalog.lo_close(0);\n\n")))
                return false;
        }
    }
    return native_put(d, STR("COMMIT;\n\n"));
}

bool
native_put_object_heads(NativeDumper *d, const DbRows *list)
{
    for (int i = 0; i < list->rows; i++)
        if (!native_put_fmt(d, "SELECT pg_catalog.lo_create('%s');\n", db_cell(list, i, 0).p) ||
            !native_put(d, db_cell(list, i, 1)))
            return false;
    return native_put(d, STR("\n"));
}
