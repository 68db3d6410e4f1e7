/* Texts of people, changed where they must be and nowhere else. */
#include "project/project.h"

#include "base/jw.h"

static const char *
line_end(Str text)
{
    return str_contains(text, STR("\r\n")) ? "\r\n" : "\n";
}

static Str
quoted(Arena *a, const char *text)
{
    JsonWriter w;
    jw_init(&w, a, false);
    jw_strz(&w, NULL, text);
    return str_trim(buf_str(&w.out));
}

/* White space that ends at `at`. */
static Str
space_before(Str text, size_t at)
{
    size_t from = at;
    while (from > 0 && strchr(" \t\r\n", text.p[from - 1]) && text.p[from - 1])
        from--;
    return str_slice(text, from, at);
}

/* Replace bytes `from` to `to`. */
static Str
splice(Arena *a, Str text, size_t from, size_t to, Str with)
{
    Buf b;
    buf_init(&b, a);
    buf_add(&b, str_slice(text, 0, from));
    buf_add(&b, with);
    buf_add(&b, str_slice(text, to, text.n));
    return buf_finish(&b);
}

/* Add a member behind the last one, laid out as that one is. An empty object gets one member on a
 * line of its own, one step of `outer` further in than the object. */
static Str
add_member(Arena *a, Str text, const ProjectJson *object, Str outer, Str step, Str key, Str value)
{
    Buf b;
    buf_init(&b, a);
    const ProjectJson *last = object->last;
    if (last) {
        buf_addc(&b, ',');
        buf_add(&b, space_before(text, last->key_from));
        buf_add(&b, key);
        buf_add(&b, str_slice(text, last->key_to, last->from));
        buf_add(&b, value);
        return splice(a, text, last->to, last->to, buf_str(&b));
    }
    buf_addc(&b, '{');
    buf_add(&b, outer);
    buf_add(&b, step);
    buf_add(&b, key);
    buf_addz(&b, ": ");
    buf_add(&b, value);
    buf_add(&b, outer);
    buf_addc(&b, '}');
    return splice(a, text, object->from, object->to, buf_str(&b));
}

/* What indents one level: as the root's first member is indented. */
static Str
step_of(Str text, const ProjectJson *root)
{
    Str space = root->first ? space_before(text, root->first->key_from) : STR("");
    const char *line = space.n ? memrchr(space.p, '\n', space.n) : NULL;
    Str step = line ? (Str){line + 1, space.n - (size_t)(line + 1 - space.p)} : STR("");
    return step.n ? step : STR("  ");
}

bool
project_json_set(Arena *a, const Source *file, const char *object, const char *key,
                 const char *value, Str *ret, Err *err)
{
    const char *path = file->path;
    Str text = file->text;
    const ProjectJson *root;
    ARENA_LOCAL(tree); /* one edit follows the other, and each reads the text again */
    if (!project_json_parse(tree, path, text, &root, err))
        return false;
    const ProjectJson *in = object ? project_json_get(root, object) : root;
    if (root->kind != PROJECT_JSON_OBJECT || (in && in->kind != PROJECT_JSON_OBJECT)) {
        int line, column;
        const ProjectJson *wrong = root->kind != PROJECT_JSON_OBJECT ? root : in;
        str_line_col(text, wrong->from, &line, &column);
        err_set(err, ERR_CONFIG, "%s: %s is not an object", path,
                root->kind != PROJECT_JSON_OBJECT ? "the file" : object);
        return err_at(err, path, line, column);
    }
    Str step = step_of(text, root), name = quoted(a, key), word = quoted(a, value);
    Str line = str_of(line_end(text)); /* what begins a line of the root's level */
    const ProjectJson *old = project_json_get(in, key);
    if (old && old->kind == PROJECT_JSON_TEXT && str_is(old->text, value)) {
        *ret = text;
    } else if (old) {
        *ret = splice(a, text, old->from, old->to, word);
    } else if (in) {
        Str outer =
            object ? str_of(str_fmt(a, STR_FMT STR_FMT, STR_ARG(line), STR_ARG(step))) : line;
        *ret = add_member(a, text, in, outer, step, name, word);
    } else {
        const char *body =
            str_fmt(a, "{" STR_FMT STR_FMT STR_FMT STR_FMT ": " STR_FMT STR_FMT STR_FMT "}",
                    STR_ARG(line), STR_ARG(step), STR_ARG(step), STR_ARG(name), STR_ARG(word),
                    STR_ARG(line), STR_ARG(step));
        *ret = add_member(a, text, root, line, step, quoted(a, object), str_of(body));
    }
    return true;
}

/* "/backups/" and "backups" ignore the folder as "backups/" does. */
static Str
bare(Str line)
{
    line = str_trim(line);
    if (str_starts(line, STR("**/")))
        line = str_slice(line, 3, line.n);
    if (str_starts(line, STR("/")))
        line = str_slice(line, 1, line.n);
    return str_ends(line, STR("/")) ? str_slice(line, 0, line.n - 1) : line;
}

static bool
ignores(Str text, const char *entry)
{
    for (Str rest = text; rest.p;)
        if (str_eq(bare(str_cut(&rest, '\n')), bare(str_of(entry))))
            return true;
    return false;
}

Str
project_ignore(Arena *a, Str text, const char *heading, const char *const *entries)
{
    const char *end = line_end(text);
    Buf b;
    buf_init(&b, a);
    for (; *entries; entries++)
        if (!ignores(text, *entries))
            buf_fmt(&b, "%s%s", *entries, end);
    if (!b.n)
        return text;
    Buf all;
    buf_init(&all, a);
    buf_add(&all, text);
    if (text.n && !str_ends(text, STR("\n")))
        buf_addz(&all, end);
    if (text.n)
        buf_addz(&all, end);
    buf_fmt(&all, "# %s%s", heading, end);
    buf_add(&all, buf_str(&b));
    return buf_finish(&all);
}
