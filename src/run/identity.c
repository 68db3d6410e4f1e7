/* Who the database is: one row for each schema with a ledger. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

void
identity_add_select(const Session *s, Buf *b)
{
    buf_addz(b, "SELECT schema, environment, profile, name, system_identifier, database_name,"
                " database_oid, branch, address, pg_catalog.to_char(made_at AT TIME ZONE 'UTC',"
                " 'YYYY-MM-DD HH24:MI:SS\"Z\"'), made_by, made_with FROM ");
    own_add_table(s, b, OWN_IDENTITY);
    buf_addz(b, " ORDER BY schema");
}

bool
identity_read(Session *s, const DbRows *r, Err *err)
{
    if (r->cols != 12)
        return err_set(err, ERR_INTERNAL, "the query of identities gave %d columns", r->cols);
    s->identities.n = 0;
    for (int i = 0; i < r->rows; i++)
        *vec_add(s->arena, &s->identities) = (Identity){
            .schema = db_cell(r, i, 0).p,
            .environment = db_cell(r, i, 1).p,
            .profile = db_cell(r, i, 2).p,
            .name = db_cell(r, i, 3).p,
            .place = {.system = db_cell(r, i, 4).p,
                      .database = db_cell(r, i, 5).p,
                      .oid = db_cell(r, i, 6).p,
                      .branch = db_cell(r, i, 7).p,
                      .address = db_cell(r, i, 8).p},
            .made_at = db_cell(r, i, 9).p,
            .made_by = db_cell(r, i, 10).p,
            .made_with = db_cell(r, i, 11).p,
        };
    return true;
}

static const char *
identity_schema(const Session *s)
{
    return s->schema ? s->schema : s->url_schema ? s->url_schema : "";
}

void
identity_add_write(const Session *s, Buf *b, const IdentityMark *m)
{
    static const char *const columns[] = {
        "schema",        "environment",  "profile", "name",    "system_identifier",
        "database_name", "database_oid", "branch",  "address", "made_with"};
    const IdentityPlace *p = &s->place;
    const char *values[COUNT(columns)] = {identity_schema(s), m->environment, m->profile, m->name,
                                          p->system,          p->database,    p->oid,     p->branch,
                                          p->address,         m->made_with};
    buf_addz(b, "INSERT INTO ");
    own_add_table(s, b, OWN_IDENTITY);
    buf_addz(b, " AS i (");
    for (int i = 0; i < (int)COUNT(columns); i++)
        buf_fmt(b, "%s%s", i ? ", " : "", columns[i]);
    buf_addz(b, ") VALUES (");
    for (int i = 0; i < (int)COUNT(columns); i++) {
        buf_addz(b, i ? ", " : "");
        sql_add_text(b, values[i]);
    }
    buf_addz(b, ") ON CONFLICT (schema) DO UPDATE SET made_at = EXCLUDED.made_at,"
                " made_by = EXCLUDED.made_by");
    for (int i = 1; i < (int)COUNT(columns); i++)
        buf_fmt(b, ", %s = EXCLUDED.%s", columns[i], columns[i]);
    buf_addc(b, ';');
}

const Identity *
run_identity(const Session *s)
{
    vec_each (const Identity, i, &s->identities)
        if (strcmp(i->schema, identity_schema(s)) == 0)
            return i;
    return NULL;
}

bool
run_identity_set(Session *s, const IdentityMark *mark, Err *err)
{
    if (!own_can_be(s, OWN_IDENTITY))
        return own_refuse(s, OWN_IDENTITY, "which environment this is cannot be written down", err);
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    own_add_create(s, &b, 1u << OWN_IDENTITY);
    identity_add_write(s, &b, mark);
    if (!session_make(s, buf_str(&b), NULL, err))
        return false;
    own_made(s, 1u << OWN_IDENTITY);
    return true;
}

bool
run_identity_forget(Session *s, Err *err)
{
    if (!s->own[OWN_IDENTITY].exists)
        return true;
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    buf_addz(&b, "DELETE FROM ");
    own_add_table(s, &b, OWN_IDENTITY);
    buf_addz(&b, " WHERE schema OPERATOR(pg_catalog.=) ");
    sql_add_literal(&b, str_of(identity_schema(s)));
    return session_make(s, buf_str(&b), NULL, err);
}
