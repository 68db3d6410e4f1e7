#include "sqltext/sqltext.h"

#include <inttypes.h>
#include <string.h>

void
sql_add_ident(Buf *b, const char *name)
{
    buf_addc(b, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            buf_addc(b, '"');
        buf_addc(b, *p);
    }
    buf_addc(b, '"');
}

void
sql_add_name(Buf *b, const char *schema, const char *name)
{
    if (schema && *schema) {
        sql_add_ident(b, schema);
        buf_addc(b, '.');
    }
    sql_add_ident(b, name);
}

void
sql_add_literal(Buf *b, Str text)
{
    bool escapes = text.n && memchr(text.p, '\\', text.n);
    /* The space keeps the E apart from a word that was written directly before. */
    buf_addz(b, escapes ? " E'" : "'");
    size_t from = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\'' || (c == '\\' && escapes)) { /* up to it, and it once more */
            buf_add(b, str_slice(text, from, i + 1));
            from = i;
        }
    }
    buf_add(b, str_slice(text, from, text.n));
    buf_addc(b, '\'');
}

void
sql_add_text(Buf *b, const char *text)
{
    if (text)
        sql_add_literal(b, str_of(text));
    else
        buf_addz(b, "NULL");
}
