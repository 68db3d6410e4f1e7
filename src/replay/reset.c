/* The session as it was when it began. */
#include "replay/replay_int.h"

bool
replay_reset(Work *w, Err *err)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION;");
    db_add_settings(w->db, &b);
    const char *path = w->options->search_path;
    if (!path && w->is_supabase)
        path = REPLAY_SUPABASE_PATH;
    if (path && path[0]) {
        /* Never as a part of SQL: it is a text from a database. */
        buf_addz(&b, ";SELECT pg_catalog.set_config('search_path', ");
        sql_add_literal(&b, str_of(path));
        buf_addz(&b, ", false)");
    }
    return db_query(w->db, a, buf_str(&b), NULL, err);
}
