/* aramid.yaml with one value changed. The lines are found by their indentation, as people write them;
 * whether that was right is asked of the parser afterwards. */
#include "config_int.h"

#include "base/fs.h"

typedef struct Line {
    size_t at, end; /* bytes, without the line end; */
    size_t next;    /* behind it */
    size_t indent;
    Str name; /* of "name:", with or without a value; n = 0: another line */
} Line;

static Line
line_at(Str text, size_t at)
{
    Str rest = str_slice(text, at, text.n), line = str_cut(&rest, '\n');
    Line l = {.at = at, .next = rest.p ? at + line.n + 1 : text.n};
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    l.end = at + line.n;
    while (l.indent < line.n && line.p[l.indent] == ' ')
        l.indent++;
    Str word = str_slice(line, l.indent, line.n);
    size_t n = 0;
    while (n < word.n && !strchr(":#\"' ", word.p[n]))
        n++;
    if (n < word.n && word.p[n] == ':')
        l.name = str_slice(word, 0, n);
    return l;
}

static bool
is_blank(Str text, const Line *l)
{
    return l->at + l->indent == l->end || text.p[l->at + l->indent] == '#';
}

/* The entry `name` of the block that begins at `from`, whose entries are indented by more than
 * `outer`; *indent: how much. false: it has none. */
static bool
find_entry(Str text, size_t from, int outer, const char *name, int *indent, Line *ret)
{
    *indent = -1;
    for (size_t at = from; at < text.n; at = ret->next) {
        *ret = line_at(text, at);
        if (is_blank(text, ret))
            continue;
        if ((int)ret->indent <= outer)
            return false;
        if (*indent < 0)
            *indent = (int)ret->indent;
        if ((int)ret->indent == *indent && str_is(ret->name, name))
            return true;
    }
    return false;
}

/* Behind the last line of the block that begins at `from`. */
static size_t
block_end(Str text, size_t from, int outer)
{
    size_t end = from;
    for (size_t at = from; at < text.n;) {
        Line l = line_at(text, at);
        at = l.next;
        if (is_blank(text, &l))
            continue;
        if ((int)l.indent <= outer)
            break;
        end = l.next;
    }
    return end;
}

typedef struct Edit {
    size_t from, to; /* bytes that go */
    Buf text;        /* in their place */
} Edit;

static void
add_line(Buf *b, const char *end, int indent, const char *name, const char *value)
{
    buf_fmt(b, "%*s%s:%s%s%s", indent, "", name, *value ? " " : "", value, end);
}

/* Where the value goes: in place of the one that is there, or at the end of the innermost block of its
 * names that is there. */
static void
plan(Str text, const YamlSetting *s, const char *end, Edit *ret)
{
    const char *names[] = {"environments", s->env, config_info(s->key)->key};
    int indents[COUNT(names)] = {-1, -1, -1}, outer = -1;
    size_t found = 0, behind = 0;
    Line l;
    while (found < COUNT(names) &&
           find_entry(text, behind, outer, names[found], &indents[found], &l)) {
        behind = l.next;
        outer = indents[found++];
    }
    bool is_there = found == COUNT(names);
    ret->from = is_there ? l.at : found ? block_end(text, behind, outer) : text.n;
    ret->to = is_there ? l.next : ret->from;
    indents[0] = 0;
    indents[1] = indents[1] > 0 ? indents[1] : 2;
    indents[2] = indents[2] > indents[1] ? indents[2] : 2 * indents[1];
    if (ret->from && text.p[ret->from - 1] != '\n')
        buf_addz(&ret->text, end);
    for (size_t i = is_there ? found - 1 : found; i < COUNT(names); i++)
        add_line(&ret->text, end, indents[i], names[i], i + 1 < COUNT(names) ? "" : s->text);
}

static bool
same_setting(const YamlSetting *a, const YamlSetting *b)
{
    const char *x = a->env ? a->env : "", *y = b->env ? b->env : "";
    return a->key == b->key && strcmp(x, y) == 0;
}

static const YamlSetting *
find(const AramidYaml *y, const YamlSetting *s)
{
    vec_each (const YamlSetting, other, &y->settings)
        if (same_setting(other, s))
            return other;
    return NULL;
}

/* Whether `after` is `before` with that value. */
static bool
is_right(const AramidYaml *before, const AramidYaml *after, const YamlSetting *s)
{
    size_t more = !find(before, s);
    const YamlSetting *it = find(after, s);
    if (!it || strcmp(it->text, s->text) != 0 || after->settings.n != before->settings.n + more)
        return false;
    vec_each (const YamlSetting, old, &before->settings) {
        const YamlSetting *now = find(after, old);
        if (!now || (now != it && strcmp(now->text, old->text) != 0))
            return false;
    }
    return true;
}

/* The text with one setting of an environment, and nothing else changed: what it says is read again and
 * compared. */
static bool
set(Arena *a, const char *path, Str text, const YamlSetting *s, Str *ret, Err *err)
{
    AramidYaml before = {0}, after = {0};
    Edit edit = {0};
    Buf b;
    Err ignored;
    const char *end = str_contains(text, STR("\r\n")) ? "\r\n" : "\n";
    if (!config_yaml_parse(a, path, text, &before, err))
        return false;
    buf_init(&edit.text, a);
    buf_init(&b, a);
    plan(text, s, end, &edit);
    buf_add(&b, str_slice(text, 0, edit.from));
    buf_add(&b, buf_str(&edit.text));
    buf_add(&b, str_slice(text, edit.to, text.n));
    *ret = buf_finish(&b);
    if (config_yaml_parse(a, path, *ret, &after, &ignored) && is_right(&before, &after, s))
        return true;
    err_set(err, ERR_CONFIG, "\"%s\" is written in a way that cannot be changed without a person",
            path);
    err_at(err, path, 0, 0);
    return err_hint(
        err, "write it line by line: \"environments:\", below it \"%s:\", below that \"%s: ...\"",
        s->env, config_info(s->key)->key);
}

bool
config_edit(Arena *a, const Config *c, const char *env, ConfigKey key, const char *value,
            ConfigEdit *ret, Err *err)
{
    Str text = STR("");
    AramidYaml yaml = {0};
    YamlSetting s = {.env = env, .key = key, .text = value};
    *ret = (ConfigEdit){.shown = fs_below(c->project_dir, c->settings_path),
                        .is_new = !fs_exists(c->settings_path)};
    if (!ret->is_new && (!fs_read(a, c->settings_path, CONFIG_FILE_MAX, &text, err) ||
                         !config_yaml_parse(a, ret->shown, text, &yaml, err)))
        return false;
    const YamlSetting *was = find(&yaml, &s);
    ret->is_same = was && strcmp(was->text, value) == 0;
    ret->before = was && !ret->is_same ? was->line : 0;
    ret->text = text;
    return ret->is_same || set(a, ret->shown, text, &s, &ret->text, err);
}
