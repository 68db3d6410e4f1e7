/* A command line against the tables. */
#include "cli/cli.h"

#include "cli/cli_int.h"

#include <unistd.h>

typedef struct Parser {
    Arena *a;
    const CliTable *table;
    CmdCall *call;
    int argc;
    char **originals; /* argv: secrets are overwritten there */
    char **argv;      /* copies; both have a NULL at argc */
    int word_at[2];   /* where the command's words stand, 0 = not given */
} Parser;

/* ---- finding options ------------------------------------------------------------------------ */

static bool
has_name(const OptSpec *o, Str name)
{
    if (str_is(name, o->name))
        return true;
    for (const char *const *n = o->other_names; n && *n; n++)
        if (str_is(name, *n))
            return true;
    return false;
}

/* `name` without dashes; *ret_off: it was the --no- form. */
static const OptSpec *
find_long(const OptSpec *list, Str name, bool *ret_off)
{
    Str no = STR("no-");
    for (const OptSpec *o = list; o && o->name; o++) {
        *ret_off = false;
        if (has_name(o, name))
            return o;
        *ret_off = true;
        if (o->negatable && str_starts(name, no) && has_name(o, str_slice(name, no.n, name.n)))
            return o;
    }
    return NULL;
}

static const OptSpec *
find_letter(const OptSpec *list, char letter)
{
    for (const OptSpec *o = list; o && o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

/* The option of a token ("--url=x", "-C"): among the global ones and those of `spec`, or those of
 * all commands while the command is not known. */
static const OptSpec *
find_option(const CliTable *table, const CmdSpec *spec, const char *token, bool *ret_off)
{
    Str rest = str_of(token + 2), name = {0};
    bool is_long = token[1] == '-';
    if (is_long)
        name = str_cut(&rest, '=');
    *ret_off = false;
    /* A command may say of an option of all commands what else it means there. */
    const OptSpec *lists[] = {spec ? spec->options : NULL, table->globals}, *o = NULL;
    for (size_t i = 0; i < COUNT(lists) && !o; i++)
        if (lists[i])
            o = is_long ? find_long(lists[i], name, ret_off) : find_letter(lists[i], token[1]);
    if (spec)
        return o;
    for (const CmdSpec *const *c = table->commands; !o && *c; c++)
        o = is_long ? find_long((*c)->options, name, ret_off)
                    : find_letter((*c)->options, token[1]);
    return o;
}

static bool
is_option(const char *token)
{
    return token[0] == '-' && token[1] && strcmp(token, "--") != 0;
}

/* ---- step 1: which command ------------------------------------------------------------------ */

/* Whether the option at argv[i] takes argv[i + 1] as its value. */
static bool
takes_next(const Parser *p, int i)
{
    bool off;
    const char *token = p->argv[i], *next = p->argv[i + 1];
    if (!next)
        return false;
    const OptSpec *o = NULL;
    if (token[1] == '-') {
        if (strchr(token, '='))
            return false;
        o = find_option(p->table, p->call->spec, token, &off);
    } else {
        /* -vC DIR: the first letter that wants a value ends the cluster. */
        for (const char *c = token + 1; *c; c++) {
            const char one[] = {'-', *c, 0};
            o = find_option(p->table, p->call->spec, one, &off);
            if (o && o->type != OPT_FLAG) {
                if (c[1])
                    return false;
                break;
            }
        }
    }
    if (!o || o->type == OPT_FLAG)
        return false;
    return !(o->name_or && is_option(next));
}

/* A word that is no option: the command's first or second one. */
static bool
take_word(Parser *p, int i, Err *err)
{
    CmdCall *call = p->call;
    const char *name = p->argv[i];
    p->word_at[call->word != NULL] = i;
    if (call->word)
        name = str_fmt(p->a, "%s %s", call->word, name);
    call->spec = cli_find_command(p->table, str_of(name));
    if (!call->spec && !call->word && cli_is_first_word(p->table, str_of(name))) {
        call->word = name;
        return true;
    }
    if (!call->spec)
        return cli_unknown_command(p->a, p->table, name, err);
    call->word = NULL;
    return true;
}

/* A command of one word may be the first word of others: "backup", "backup list". */
static void
take_second(Parser *p, int i)
{
    CmdCall *call = p->call;
    const CmdSpec *both =
        cli_find_command(p->table, str_of(str_fmt(p->a, "%s %s", call->spec->name, p->argv[i])));
    if (!both || p->word_at[1])
        return;
    call->spec = both;
    p->word_at[1] = i;
}

static bool
find_command(Parser *p, Err *err)
{
    CmdCall *call = p->call;
    const OptSpec *help = find_letter(p->table->globals, 'h');
    const OptSpec *version = find_letter(p->table->globals, 'V');
    for (int i = 1; i < p->argc && strcmp(p->argv[i], "--") != 0; i++) {
        const char *token = p->argv[i];
        if (is_option(token)) {
            bool off;
            const OptSpec *o = find_option(p->table, call->spec, token, &off);
            call->wants_help |= o && o == help;
            call->wants_version |= o && o == version;
            i += takes_next(p, i);
        } else if (!call->spec) {
            if (!take_word(p, i, err))
                return false;
        } else
            take_second(p, i);
    }
    return true;
}

/* ---- step 2: options and arguments ---------------------------------------------------------- */

/* The long option that a word was meant to be: of the command, or of all. */
static void
suggest(const Parser *p, Str word, Err *err)
{
    const CmdSpec *spec = p->call->spec;
    CliNearest near = cli_nearest_begin(word);
    for (int from = 0; from < 2; from++) {
        const OptSpec *o = from ? p->table->globals : spec ? spec->options : NULL;
        for (; o && o->name; o++) {
            if (o->hidden)
                continue;
            cli_nearest_try(&near, o->name);
            if (o->negatable)
                cli_nearest_try(&near, str_fmt(p->a, "no-%s", o->name));
        }
    }
    if (near.best)
        err_hint(err, "did you mean --%s?", near.best);
}

/* `typed` is the whole word, `token` may be one letter of it. */
static bool
unknown_option(const Parser *p, const char *typed, const char *token, Err *err)
{
    Str rest = str_of(token), name = str_cut(&rest, '=');
    const char *shown = cli_quotable(p->a, name);
    err_set(err, ERR_USAGE, "unknown option %s", shown);
    bool off;
    Buf owners;
    buf_init(&owners, p->a);
    for (const CmdSpec *const *c = p->table->commands; *c; c++) {
        const OptSpec *o = token[1] == '-'
                               ? find_long((*c)->options, str_slice(name, 2, name.n), &off)
                               : find_letter((*c)->options, token[1]);
        if (o && !(*c)->hidden)
            buf_fmt(&owners, "%s%s", owners.n ? ", " : "", (*c)->name);
    }
    if (owners.n)
        err_detail(err, "%s is an option of: %s", shown, owners.p);
    if (!owners.n || token[1] != '-') { /* "-json" has two dashes to have */
        rest = str_of(typed + (typed[1] == '-' ? 2 : 1));
        suggest(p, str_cut(&rest, '='), err);
    }
    return false;
}

static bool
missing_value(const OptSpec *o, const char *spelling, Err *err)
{
    return err_set(err, ERR_USAGE, "option %s needs a value: %s %s", spelling, spelling, o->value);
}

/* Store an option; `original` is where the value stands in argv. */
static bool
add_value(Parser *p, const OptSpec *o, const char *spelling, const char *text, char *original,
          bool on, Err *err)
{
    if (o->type == OPT_URL && original)
        cli_mask(original);
    vec_each (const OptValue, v, &p->call->options) {
        if (v->spec != o || o->repeatable)
            continue;
        if (o->type == OPT_FLAG && v->number == on)
            return true;
        if (o->type == OPT_FLAG)
            return err_set(err, ERR_USAGE, "options %s and %s exclude each other", v->spelling,
                           spelling);
        return err_set(err, ERR_USAGE, "option %s was given twice", spelling);
    }
    OptValue value = {.spec = o, .spelling = spelling, .text = text, .number = on};
    if (text && !cli_check_value(p->a, &value, err))
        return false;
    *vec_add(p->a, &p->call->options) = value;
    return true;
}

/* The value of the option at argv[*i]: what stands behind it, or the next word. */
static bool
take_value(Parser *p, const OptSpec *o, const char *spelling, int *i, Err *err)
{
    const char *next = p->argv[*i + 1];
    bool off;
    if ((o->name_or || o->may_be_bare) && (!next || is_option(next) || strcmp(next, "--") == 0))
        return add_value(p, o, spelling, NULL, NULL, true, err);
    if (!next || strcmp(next, "--") == 0 ||
        (is_option(next) && find_option(p->table, p->call->spec, next, &off)))
        return missing_value(o, spelling, err);
    ++*i;
    return add_value(p, o, spelling, next, p->originals[*i], true, err);
}

static bool
parse_long(Parser *p, int *i, Err *err)
{
    const char *token = p->argv[*i];
    bool off;
    const OptSpec *o = find_option(p->table, p->call->spec, token, &off);
    if (!o)
        return unknown_option(p, token, token, err);
    const char *equals = strchr(token, '=');
    if (o->type == OPT_FLAG) {
        const char *name = equals ? str_dup(p->a, (Str){token, (size_t)(equals - token)}) : token;
        if (equals)
            return err_set(err, ERR_USAGE, "option %s takes no value", name);
        return add_value(p, o, name, NULL, NULL, !off, err);
    }
    if (!equals)
        return take_value(p, o, token, i, err);
    const char *name = str_dup(p->a, (Str){token, (size_t)(equals - token)});
    return add_value(p, o, name, equals + 1, p->originals[*i] + (equals + 1 - token), true, err);
}

static bool
parse_letters(Parser *p, int *i, Err *err)
{
    const char *token = p->argv[*i];
    for (const char *c = token + 1; *c; c++) {
        const char *spelling = str_fmt(p->a, "-%c", *c);
        bool off;
        const OptSpec *o = find_option(p->table, p->call->spec, spelling, &off);
        if (!o)
            return unknown_option(p, token, spelling, err);
        if (o->type != OPT_FLAG && !c[1])
            return take_value(p, o, spelling, i, err);
        if (o->type != OPT_FLAG)
            return add_value(p, o, spelling, c + 1, p->originals[*i] + (c + 1 - token), true, err);
        if (!add_value(p, o, spelling, NULL, NULL, true, err))
            return false;
    }
    return true;
}

static bool
add_argument(Parser *p, const char *text, Err *err)
{
    CmdCall *call = p->call;
    if (!call->spec)
        return cli_unknown_command(p->a, p->table, text, err);
    const ArgSpec *arg = call->spec->args;
    for (size_t n = 0; arg && arg->name && n < call->args.n && !arg->repeatable; n++)
        arg++;
    if ((!arg || !arg->name) && cli_is_first_word(p->table, str_of(call->spec->name)))
        return cli_unknown_command(p->a, p->table, str_fmt(p->a, "%s %s", call->spec->name, text),
                                   err);
    if (!arg || !arg->name)
        return err_set(err, ERR_USAGE, "unexpected argument %s", cli_quotable(p->a, str_of(text)));
    long long number;
    if (arg->is_number && !str_to_int(str_of(text), 1, INT32_MAX, &number))
        return err_set(err, ERR_USAGE, "%s is not a number, as %s has to be",
                       cli_quotable(p->a, str_of(text)), arg->name);
    *vec_add(p->a, &call->args) = text;
    return true;
}

static bool
parse_all(Parser *p, Err *err)
{
    bool only_arguments = false;
    for (int i = 1; i < p->argc; i++) {
        const char *token = p->argv[i];
        bool ok = true;
        if (i == p->word_at[0] || i == p->word_at[1])
            continue;
        if (!only_arguments && strcmp(token, "--") == 0)
            only_arguments = true;
        else if (only_arguments || !is_option(token))
            ok = add_argument(p, token, err);
        else if (token[1] == '-')
            ok = parse_long(p, &i, err);
        else
            ok = parse_letters(p, &i, err);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- step 3: the whole ---------------------------------------------------------------------- */

static OptValue *
given(const CmdCall *call, const char *name)
{
    vec_each (OptValue, v, &call->options) {
        if (strcmp(v->spec->name, name) == 0)
            return v;
    }
    return NULL;
}

static bool
check_conflicts(const CmdCall *call, const CmdConflict *list, Err *err)
{
    for (const CmdConflict *c = list; c && c->one; c++) {
        const OptValue *one = given(call, c->one), *other = given(call, c->other);
        if (one && other)
            return err_set(err, ERR_USAGE, "options %s and %s exclude each other", one->spelling,
                           other->spelling);
    }
    return true;
}

/* Options that need or complete each other. */
static bool
check_partners(const CmdCall *call, Err *err)
{
    vec_each (OptValue, v, &call->options) {
        const OptSpec *o = v->spec;
        if (o->needs && !given(call, o->needs))
            return err_set(err, ERR_USAGE, "option %s has a meaning only together with --%s",
                           v->spelling, o->needs);
        if (!o->name_or)
            continue;
        const OptValue *other = given(call, o->name_or);
        if (!v->text && (!other || !other->text))
            return missing_value(o, v->spelling, err);
        if (v->text && other && other->text && other->text != v->text)
            return err_set(err, ERR_USAGE, "options %s and %s together take one %s, not two",
                           v->spelling, other->spelling, o->value);
        if (!v->text)
            v->text = other->text;
    }
    return true;
}

static bool
check_one_of(Arena *a, const CmdCall *call, const char *const *names, Err *err)
{
    const OptValue *found = NULL;
    Buf list;
    buf_init(&list, a);
    for (const char *const *n = names; n && *n; n++) {
        const OptValue *v = given(call, *n);
        if (v && found)
            return err_set(err, ERR_USAGE, "options %s and %s exclude each other", found->spelling,
                           v->spelling);
        if (v)
            found = v;
        const char *then = !list.n ? "" : n[1] ? ", " : " or ";
        buf_fmt(&list, "%s--%s", then, *n);
    }
    return !names || found || err_set(err, ERR_USAGE, "\"%s\" needs %s", call->spec->name, list.p);
}

static bool
check_call(Arena *a, const CmdCall *call, Err *err)
{
    const CmdSpec *spec = call->spec;
    if (!check_conflicts(call, call->table->conflicts, err) ||
        !check_conflicts(call, spec->conflicts, err) || !check_partners(call, err) ||
        !check_one_of(a, call, spec->one_of[0], err) ||
        !check_one_of(a, call, spec->one_of[1], err))
        return false;
    const OptValue *json = given(call, "json");
    if (json && !(spec->uses & CMD_USES_JSON))
        return err_set(err, ERR_USAGE, "\"%s\" has no JSON output", spec->name);
    size_t n = 0;
    for (const ArgSpec *arg = spec->args; arg && arg->name; arg++, n++)
        if (arg->required && call->args.n <= n)
            return err_set(err, ERR_USAGE, "\"%s\" needs an argument: %s", spec->name, arg->name);
    return true;
}

static void
detect_terminals(CmdCall *call)
{
    const OptValue *color = given(call, "color");
    TermWish wish = TERM_AUTO;
    if (color)
        wish = strcmp(color->text, "always") == 0  ? TERM_ALWAYS
               : strcmp(color->text, "never") == 0 ? TERM_NEVER
                                                   : TERM_AUTO;
    call->term_out = term_detect(STDOUT_FILENO, wish);
    call->term_err = term_detect(STDERR_FILENO, wish);
}

static bool
parse(Parser *p, Err *err)
{
    CmdCall *call = p->call;
    if (!find_command(p, err))
        return false;
    if (!parse_all(p, err))
        return call->wants_help || call->wants_version;
    if (!call->spec || call->wants_help || call->wants_version)
        return true;
    return check_call(p->a, call, err);
}

bool
cli_parse(Arena *a, const CliTable *table, int argc, char **argv, CmdCall *ret, Err *err)
{
    *ret = (CmdCall){.arena = a, .table = table, .out = stdout, .err = stderr};
    *err = (Err){0};
    Parser p = {.a = a, .table = table, .call = ret, .argc = argc, .originals = argv};
    p.argv = arena_array(a, char *, argc + 1);
    for (int i = 0; i < argc; i++) {
        p.argv[i] = str_dupz(a, argv[i]);
        /* A URL may stand where none is expected; it is a secret all the same. */
        if (i > 0 && strstr(argv[i], "://") && strchr(argv[i], '@'))
            cli_mask(strstr(argv[i], "://"));
    }
    bool ok = parse(&p, err);
    detect_terminals(ret);
    if (!ok && !*err->hint)
        err_hint(err, "see `aramid help%s%s`", ret->spec ? " " : "",
                 ret->spec ? ret->spec->name : "");
    return ok;
}
