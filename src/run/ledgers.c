/* The ledgers of a session that are missing, and making them. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

unsigned
session_ledgers_missing(const Session *s)
{
    unsigned missing = 0;
    for (size_t i = 0; i < s->ledgers.n; i++)
        missing |= s->ledgers.v[i].exists || s->ledgers.v[i].layout->repeats ? 0 : 1u << i;
    return missing;
}

unsigned
session_ledgers_behind(const Session *s, const History *h, unsigned parts)
{
    unsigned behind = 0;
    for (size_t i = 0; i < s->ledgers.n; i++)
        if (!s->ledgers.v[i].layout->repeats &&
            (!s->ledgers.v[i].exists || history_part_of(h, i)->is_outdated))
            behind |= 1u << i;
    return behind & parts;
}

void
session_ledgers_made(Session *s, History *h, unsigned parts)
{
    for (size_t i = 0; i < s->ledgers.n; i++) {
        if (!(parts & 1u << i))
            continue;
        s->ledgers.v[i].exists = s->ledger_exists = true;
        s->ledgers.v[i].at.has_beside = true;
        history_part(h, i)->is_outdated = false;
    }
}

static bool
add_schema(Session *s, Buf *b, SessionLedger *l, Err *err)
{
    const char *home = l->home ? l->home : s->url_schema;
    if (!home) {
        err_set(err, ERR_DENIED, "the role's search_path names no schema that exists");
        return err_hint(err, "create schema public, or name a schema in the URL: ?schema=app");
    }
    bool is_made = false;
    vec_each (const SessionLedger, k, &s->ledgers)
        is_made = is_made || (k->at.schema && strcmp(k->at.schema, home) == 0);
    if (!is_made && strcmp(home, "aramid") == 0)
        own_add_schema(b);
    else if (!is_made) {
        buf_addz(b, "CREATE SCHEMA ");
        sql_add_ident(b, home);
        buf_addc(b, ';');
    }
    l->at.schema = home;
    own_place_beside(s, home);
    return true;
}

bool
session_add_ledgers(Session *s, Buf *b, const History *h, unsigned parts, Err *err)
{
    for (size_t i = 0; i < s->ledgers.n; i++) {
        SessionLedger *l = &s->ledgers.v[i];
        const History *p = history_part_of(h, i);
        if (!(parts & 1u << i))
            continue;
        if (l->exists) {
            if (p->is_outdated)
                l->layout->add_upgrade(b, &l->at, p);
            continue;
        }
        if (!l->at.schema && !add_schema(s, b, l, err))
            return false;
        l->layout->add_create(b, &l->at);
        buf_addc(b, ';');
    }
    return true;
}
