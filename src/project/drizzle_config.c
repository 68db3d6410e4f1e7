/* drizzle.config.* without running it: where the migrations lie, and which table keeps their history. */
#include "project/project.h"

#include "base/fs.h"
#include "config/js_lex.h"

enum { CONFIG_MAX = 1024 * 1024 };

static const JsToken *
at(const JsTokenVec *tokens, size_t i)
{
    return &tokens->v[i < tokens->n ? i : tokens->n - 1];
}

static bool
is(const JsTokenVec *tokens, size_t i, const char *punct)
{
    return at(tokens, i)->kind == JS_PUNCT && str_is(at(tokens, i)->text, punct);
}

/* Whether the token names a member: out:, "out": */
static bool
is_key(const JsTokenVec *tokens, size_t i, const char *name)
{
    JsKind kind = at(tokens, i)->kind;
    return (kind == JS_WORD || kind == JS_TEXT) && str_is(at(tokens, i)->text, name) &&
           is(tokens, i + 1, ":");
}

/* The literal that is a member's whole value; NULL = it is made by a program. */
static const char *
literal(Arena *a, const JsTokenVec *tokens, size_t key)
{
    const JsToken *value = at(tokens, key + 2);
    bool whole = is(tokens, key + 3, ",") || is(tokens, key + 3, "}");
    return value->kind == JS_TEXT && whole ? str_dup(a, value->text) : NULL;
}

void
project_drizzle_config(Arena *a, const char *path, ProjectDrizzle *ret)
{
    static const struct {
        const char *key;
        bool of_table; /* a member of "migrations" */
        size_t to;
    } wanted[] = {{"out", false, offsetof(ProjectDrizzle, out)},
                  {"dialect", false, offsetof(ProjectDrizzle, dialect)},
                  {"table", true, offsetof(ProjectDrizzle, table)},
                  {"schema", true, offsetof(ProjectDrizzle, schema)}};
    JsTokenVec tokens = {0};
    Str text;
    Err unread;
    *ret = (ProjectDrizzle){.out = "drizzle"};
    if (!path || fs_kind(path) != FS_FILE || !fs_read(a, path, CONFIG_MAX, &text, &unread))
        return;
    config_js_lex(a, text, &tokens);
    bool inside = false;
    for (size_t i = 0; i + 2 < tokens.n; i++) {
        if (is_key(&tokens, i, "migrations") && is(&tokens, i + 2, "{"))
            inside = true;
        else if (is(&tokens, i, "}"))
            inside = false;
        for (size_t k = 0; k < COUNT(wanted); k++) {
            if (wanted[k].of_table != inside || !is_key(&tokens, i, wanted[k].key))
                continue;
            const char *value = literal(a, &tokens, i);
            if (value)
                *(const char **)(void *)((char *)ret + wanted[k].to) = value;
            else
                ret->unread = wanted[k].key;
        }
    }
    while (strncmp(ret->out, "./", 2) == 0)
        ret->out += 2;
    size_t n = strlen(ret->out);
    while (n > 1 && ret->out[n - 1] == '/')
        n--;
    ret->out = str_dup(a, (Str){ret->out, n});
}
