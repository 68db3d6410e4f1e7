/* What every message begins with. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

/* The state in which the role's own sessions begin, where a script may have left another one.
 * DISCARD ALL would drop the lock. */
static int
add_resets(const Session *s, Buf *b)
{
    if (!s->unclean)
        return 0;
    buf_addz(b, "RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION;");
    return 3 + db_add_settings(s->db, b);
}

int
session_add_prefix(const Session *s, Buf *b)
{
    int n = add_resets(s, b);
    buf_addz(b,
             "SET LOCAL statement_timeout=0;SET LOCAL lock_timeout='5s';SET LOCAL search_path='';"
             "SET LOCAL row_security=off;"); /* hidden rows are an error, not a lie */
    return n + 4;
}

/* The same for the user's statements: the role's search_path, or the URL's schema as Prisma does. */
int
session_add_user_prefix(const Session *s, Buf *b)
{
    int n = add_resets(s, b);
    if (s->url_schema) {
        buf_addz(b, "SET search_path=");
        sql_add_ident(b, s->url_schema);
        buf_addc(b, ';');
        n++;
    }
    return n;
}
