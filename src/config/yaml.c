/* aramid.yaml, read from libyaml's events. Aliases are refused, so that nothing can grow; what is
 * nested deeper than a group of settings is an error, so that recursion is bounded. */
#include <yaml.h>

#include "config_int.h"

#include "base/map.h"

typedef struct Yaml {
    Arena *a;
    const char *path;
    Str text;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    Map seen; /* "<environment>/<key>" */
    AramidYaml *ret;
    Err *err;
} Yaml;

/* A mapping that is being read: the general part, a section of environments, or a group in one. */
typedef struct Scope {
    const char *env;    /* NULL = the general part */
    const char *prefix; /* "" or "locks." */
} Scope;

static bool parse_settings(Yaml *y, Scope scope);

static void
yaml_close(Yaml *y)
{
    if (y->has_event)
        yaml_event_delete(&y->event);
    yaml_parser_delete(&y->parser);
}

__attribute__((format(printf, 3, 4))) static bool
fail(Yaml *y, yaml_mark_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *what = str_vfmt(y->a, fmt, ap);
    va_end(ap);
    err_set(y->err, ERR_CONFIG, "%s", what);
    return err_at(y->err, y->path, (int)at.line + 1, (int)at.column + 1);
}

static bool
fail_syntax(Yaml *y)
{
    const yaml_parser_t *p = &y->parser;
    fail(y, p->problem_mark, "\"%s\" is not valid YAML: %s", y->path,
         p->problem ? p->problem : "out of memory");
    Str line = y->text;
    for (size_t i = 0; i < p->problem_mark.line && line.p; i++)
        str_cut(&line, '\n');
    Str first = line.p ? str_cut(&line, '\n') : (Str){"", 0};
    for (size_t i = 0; i < first.n && (first.p[i] == ' ' || first.p[i] == '\t'); i++)
        if (first.p[i] == '\t')
            return err_hint(y->err, "indent with spaces: YAML allows no tabs there");
    return false;
}

static bool
next(Yaml *y)
{
    if (y->has_event)
        yaml_event_delete(&y->event);
    y->has_event = yaml_parser_parse(&y->parser, &y->event) == 1;
    if (!y->has_event)
        return fail_syntax(y);
    if (y->event.type == YAML_ALIAS_EVENT) {
        fail(y, y->event.start_mark, "aliases (*name) are not supported in \"%s\"", y->path);
        return err_hint(y->err,
                        "write the values out; general settings hold for every environment");
    }
    return true;
}

static Str
scalar(const Yaml *y)
{
    return (Str){(const char *)y->event.data.scalar.value, y->event.data.scalar.length};
}

static bool
is_name(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_.-", s.p[i]) != NULL) ||
            !s.p[i])
            return false;
    return s.n > 0 && s.n <= 64;
}

/* Whether the name is the first part of dotted keys: "locks". */
static bool
is_group(const char *name)
{
    size_t n = strlen(name);
    for (int k = 0; k < CFG_COUNT; k++) {
        const char *key = config_info((ConfigKey)k)->key;
        if (strncmp(key, name, n) == 0 && key[n] == '.')
            return true;
    }
    return false;
}

static bool
fail_unknown(Yaml *y, yaml_mark_t at, const char *name)
{
    fail(y, at, "unknown setting \"%s\"", name);
    const char *nearest = NULL;
    size_t best = 5;
    for (int k = 0; k < CFG_COUNT; k++) {
        const char *key = config_info((ConfigKey)k)->key;
        const char *last = strrchr(key, '.') ? strrchr(key, '.') + 1 : key;
        size_t d = str_distance(str_of(name), str_of(key), best);
        if (d > 2 && str_distance(str_of(name), str_of(last), 1) <= 1)
            d = 2; /* "timeout" without its group */
        if (d < best && d < strlen(name))
            best = d, nearest = key;
        const char *dot = strchr(key, '.'); /* the name of a group: "locks" */
        Str group = dot ? (Str){key, (size_t)(dot - key)} : STR("");
        d = dot ? str_distance(str_of(name), group, 2) : best;
        if (d < best && d < strlen(name) && d <= 2)
            best = d, nearest = str_dup(y->a, group);
    }
    if (str_distance(str_of(name), STR("environments"), best) < best)
        nearest = "environments";
    if (nearest)
        return err_hint(y->err, "did you mean %s?", nearest);
    Buf all;
    buf_init(&all, y->a);
    for (int k = 0; k < CFG_COUNT; k++)
        buf_fmt(&all, "%s, ", config_info((ConfigKey)k)->key);
    return err_hint(y->err, "the settings are: %senvironments", all.p);
}

/* Read the key of a mapping's entry; it must be a plain name and new in its section. */
static bool
parse_key(Yaml *y, Scope scope, const char **ret)
{
    yaml_mark_t at = y->event.start_mark;
    if (y->event.type != YAML_SCALAR_EVENT || !is_name(scalar(y)))
        return fail(y, at, "this is not the name of a setting");
    *ret = str_fmt(y->a, "%s" STR_FMT, scope.prefix, STR_ARG(scalar(y)));
    const char *seen = str_fmt(y->a, "%s/%s", scope.env ? scope.env : "", *ret);
    if (map_has(&y->seen, str_of(seen)))
        return fail(y, at, "\"%s\" is set twice", *ret);
    map_put(&y->seen, str_of(seen), y);
    return true;
}

static bool
is_null(const Yaml *y)
{
    Str s = scalar(y);
    return y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.n == 0 || str_is(s, "~") || str_ieq(s, STR("null")));
}

static bool
parse_scalar(Yaml *y, Scope scope, ConfigKey key)
{
    const char *name = config_info(key)->key;
    yaml_mark_t at = y->event.start_mark;
    if (is_null(y))
        return true;
    Str text = scalar(y);
    if (text.n && memchr(text.p, 0, text.n))
        return fail(y, at, "the value of \"%s\" holds a NUL character", name);
    int64_t number;
    const char *copy = str_dup(y->a, text);
    const char *wrong = strstr(copy, "${") ? NULL : config_value_check(key, copy, &number);
    if (wrong)
        return fail(y, at, "the value of \"%s\" %s", name, wrong);
    *vec_add(y->a, &y->ret->settings) =
        (YamlSetting){scope.env, key, copy, (int)at.line + 1, (int)at.column + 1};
    return true;
}

/* A sequence whose start was read: as the text of a LIST, or of LINES. */
static bool
parse_list(Yaml *y, Scope scope, ConfigKey key)
{
    Buf text;
    buf_init(&text, y->a);
    yaml_mark_t at = y->event.start_mark;
    bool is_lines = config_info(key)->type == CFG_TYPE_LINES;
    for (;;) {
        if (!next(y))
            return false;
        if (y->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        Str item = y->event.type == YAML_SCALAR_EVENT ? scalar(y) : (Str){"", 0};
        if (!item.n || memchr(item.p, 0, item.n) || memchr(item.p, is_lines ? '\n' : ',', item.n))
            return fail(y, y->event.start_mark, "an item of \"%s\" must be a text %s",
                        config_info(key)->key, is_lines ? "of one line" : "without commas");
        buf_addz(&text, !text.n ? "" : is_lines ? "\n" : ", ");
        buf_add(&text, item);
    }
    *vec_add(y->a, &y->ret->settings) =
        (YamlSetting){scope.env, key, text.p, (int)at.line + 1, (int)at.column + 1};
    return true;
}

static bool
fail_finding(Yaml *y, yaml_mark_t at, const char *name)
{
    fail(y, at, "there is no finding \"%s\"", name);
    err_hint(y->err, "%s", finding_nearest(y->a, str_of(name)));
    return err_hint(y->err, "aramid explain lists them");
}

/* findings: a mapping of ids to what becomes of them, as the text "id: off, id: error". */
static bool
parse_findings(Yaml *y, Scope scope)
{
    Buf text;
    buf_init(&text, y->a);
    yaml_mark_t begin = y->event.start_mark;
    for (;;) {
        const char *name;
        if (!next(y))
            return false;
        if (y->event.type == YAML_MAPPING_END_EVENT)
            break;
        yaml_mark_t at = y->event.start_mark;
        if (!parse_key(y, (Scope){scope.env, "findings."}, &name) || !next(y))
            return false;
        name += sizeof "findings." - 1;
        FindingId id = finding_find(str_of(name));
        if (id == FINDING_COUNT)
            return fail_finding(y, at, name);
        if (finding_info(id)->rule == FINDING_RULE_FIXED) {
            fail(y, at, "the finding \"%s\" can be neither silenced nor changed", name);
            return err_hint(y->err, "aramid explain %s says why it matters", name);
        }
        Str to = y->event.type == YAML_SCALAR_EVENT ? scalar(y) : STR("");
        if (config_value_severity(to) == FINDING_AS_IS)
            return fail(y, y->event.start_mark,
                        "what becomes of \"%s\" is off, notice, warning or error", name);
        if (finding_info(id)->rule == FINDING_RULE_NO_ERROR &&
            config_value_severity(to) == SEV_ERROR) {
            fail(y, y->event.start_mark, "the finding \"%s\" comes too late to stop a run", name);
            return err_hint(y->err, "it may be off, notice or warning");
        }
        buf_fmt(&text, "%s%s: " STR_FMT, text.n ? ", " : "", name, STR_ARG(to));
    }
    *vec_add(y->a, &y->ret->settings) =
        (YamlSetting){scope.env, CFG_FINDINGS, text.p, (int)begin.line + 1, (int)begin.column + 1};
    return true;
}

/* {run: COMMAND, when: WORD}, whose start was read. */
static bool
parse_task(Yaml *y, Scope scope, const char **ret_run, const char **ret_when)
{
    static const char *const words[] = {"once", "changed", "always", "called"};
    for (;;) {
        const char *name;
        if (!next(y))
            return false;
        if (y->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!parse_key(y, scope, &name) || !next(y))
            return false;
        name += strlen(scope.prefix);
        bool is_run = strcmp(name, "run") == 0;
        if (!is_run && strcmp(name, "when") != 0)
            return fail(y, y->event.start_mark, "a task has run and when, and no \"%s\"", name);
        Str text = y->event.type == YAML_SCALAR_EVENT ? scalar(y) : STR("");
        *(is_run ? ret_run : ret_when) = str_dup(y->a, text);
        bool known = is_run;
        for (size_t i = 0; i < COUNT(words); i++)
            known = known || str_is(text, words[i]);
        if (!known)
            return fail(y, y->event.start_mark, "when is one of once, changed, always, called");
    }
}

/* tasks: a mapping of names to commands, or to {run, when}. */
static bool
parse_tasks(Yaml *y, Scope scope)
{
    Buf text;
    buf_init(&text, y->a);
    yaml_mark_t begin = y->event.start_mark;
    for (;;) {
        const char *name, *run = "", *when = "once";
        if (!next(y))
            return false;
        if (y->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!parse_key(y, (Scope){scope.env, "tasks."}, &name) || !next(y))
            return false;
        yaml_mark_t at = y->event.start_mark;
        bool is_map = y->event.type == YAML_MAPPING_START_EVENT;
        if (y->event.type == YAML_SCALAR_EVENT)
            run = str_dup(y->a, scalar(y));
        if (is_map && !parse_task(y, (Scope){scope.env, str_fmt(y->a, "%s.", name)}, &run, &when))
            return false;
        if (!str_trim(str_of(run)).n || strchr(run, '\n'))
            return fail(y, at, "a task is a command in one line, or {run: COMMAND, when: once}");
        buf_fmt(&text, "%s%s %s %s", text.n ? "\n" : "", name + sizeof "tasks." - 1, when, run);
    }
    *vec_add(y->a, &y->ret->settings) =
        (YamlSetting){scope.env, CFG_TASKS, text.p, (int)begin.line + 1, (int)begin.column + 1};
    return true;
}

static bool
parse_environments(Yaml *y)
{
    if (y->event.type == YAML_SCALAR_EVENT && is_null(y))
        return true;
    if (y->event.type != YAML_MAPPING_START_EVENT)
        return fail(y, y->event.start_mark, "\"environments\" must be a mapping of names");
    for (;;) {
        const char *name;
        if (!next(y))
            return false;
        if (y->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!parse_key(y, (Scope){"/", ""}, &name)) /* "/" is no environment's name */
            return false;
        *vec_add(y->a, &y->ret->environments) = name;
        if (!next(y))
            return false;
        if (y->event.type == YAML_SCALAR_EVENT && is_null(y))
            continue;
        if (y->event.type != YAML_MAPPING_START_EVENT)
            return fail(y, y->event.start_mark, "environment \"%s\" must be a mapping of settings",
                        name);
        if (!parse_settings(y, (Scope){name, ""}))
            return false;
    }
}

static bool
parse_entry(Yaml *y, Scope scope)
{
    const char *name;
    yaml_mark_t at = y->event.start_mark;
    if (!parse_key(y, scope, &name) || !next(y))
        return false;
    if (!scope.env && !strcmp(name, "environments"))
        return parse_environments(y);
    ConfigKey key = config_value_key_of(str_of(name));
    bool group = is_group(name);
    if (key == CFG_COUNT && !group)
        return fail_unknown(y, at, name);
    if (key == CFG_FINDINGS && y->event.type == YAML_MAPPING_START_EVENT)
        return parse_findings(y, scope);
    if (key == CFG_TASKS && y->event.type == YAML_MAPPING_START_EVENT)
        return parse_tasks(y, scope);
    if (key == CFG_TASKS && !(y->event.type == YAML_SCALAR_EVENT && is_null(y)))
        return fail(y, y->event.start_mark, "\"tasks\" must be a mapping of names");
    if (key == CFG_FINDINGS && !(y->event.type == YAML_SCALAR_EVENT && is_null(y)))
        return fail(y, y->event.start_mark, "\"findings\" must be a mapping of ids");
    if (y->event.type == YAML_SCALAR_EVENT && key != CFG_COUNT)
        return parse_scalar(y, scope, key);
    if (y->event.type == YAML_SEQUENCE_START_EVENT && key != CFG_COUNT &&
        (config_info(key)->type == CFG_TYPE_LIST || config_info(key)->type == CFG_TYPE_LINES ||
         config_info(key)->type == CFG_TYPE_PATHS))
        return parse_list(y, scope, key);
    if (y->event.type == YAML_SCALAR_EVENT && is_null(y))
        return true;
    if (y->event.type == YAML_MAPPING_START_EVENT && group)
        return parse_settings(y, (Scope){scope.env, str_fmt(y->a, "%s.", name)});
    return fail(y, y->event.start_mark, "\"%s\" must be %s", name,
                group ? "a mapping of settings" : "a single value");
}

/* The entries of a mapping whose start was read. */
static bool
parse_settings(Yaml *y, Scope scope)
{
    for (;;) {
        if (!next(y))
            return false;
        if (y->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!parse_entry(y, scope))
            return false;
    }
}

static bool
parse_document(Yaml *y)
{
    if (!next(y) || !next(y)) /* start of the stream, start of the document */
        return false;
    if (y->event.type == YAML_STREAM_END_EVENT)
        return true;
    if (!next(y))
        return false;
    bool empty = y->event.type == YAML_SCALAR_EVENT && is_null(y);
    if (!empty && y->event.type != YAML_MAPPING_START_EVENT)
        return fail(y, y->event.start_mark, "\"%s\" must be a mapping of settings", y->path);
    if (!empty && !parse_settings(y, (Scope){NULL, ""}))
        return false;
    if (!next(y) || !next(y)) /* end of the document */
        return false;
    return y->event.type == YAML_STREAM_END_EVENT ||
           fail(y, y->event.start_mark, "\"%s\" holds more than one document", y->path);
}

bool
config_yaml_parse(Arena *a, const char *path, Str text, AramidYaml *ret, Err *err)
{
    __attribute__((cleanup(yaml_close)))
    Yaml y = {.a = a, .path = path, .text = text, .ret = ret, .err = err};
    map_init(&y.seen, a);
    if (!yaml_parser_initialize(&y.parser))
        return err_set(err, ERR_CONFIG, "\"%s\" cannot be read: out of memory", path);
    yaml_parser_set_input_string(&y.parser, (const unsigned char *)text.p, text.n);
    return parse_document(&y);
}
