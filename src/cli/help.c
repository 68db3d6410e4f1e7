/* Help for people, from the tables. */
#include "cli/cli_int.h"

#include <stdio.h>

enum { WIDTH = 80, OPTION_COLUMN = 31 };

/* The program's own help lists every general option, without where else its value comes from. */
static const unsigned ALL_USES = ~0u;

const char *
cli_class_name(CmdClass class)
{
    static const char *const names[CMD_CLASS_COUNT] = {
        [CMD_INFORMATION] = "information",        [CMD_READS] = "reads only",
        [CMD_WRITES_FILES] = "writes files",      [CMD_CHANGES_DATABASE] = "changes the database",
        [CMD_DESTROYS_DATA] = "may destroy data",
    };
    return names[class];
}

const char *
cli_group_name(CmdGroup group)
{
    static const char *const names[CMD_GROUP_COUNT] = {
        [CMD_GROUP_MIGRATIONS] = "Migrations",   [CMD_GROUP_BACKUP] = "Backups",
        [CMD_GROUP_SCHEMA] = "Schema",           [CMD_GROUP_EMBEDDED] = "Embedded PostgreSQL",
        [CMD_GROUP_INFORMATION] = "Information", [CMD_GROUP_PRISMA] = "Prisma's spellings",
    };
    return names[group];
}

const char *
cli_type_name(OptType type)
{
    static const char *const names[OPT_TYPE_COUNT] = {
        [OPT_FLAG] = "flag",  [OPT_TEXT] = "text",         [OPT_PATH] = "path",
        [OPT_INT] = "number", [OPT_DURATION] = "duration", [OPT_CHOICE] = "choice",
        [OPT_URL] = "url",
    };
    return names[type];
}

const CmdSpec *
cli_find_command(const CliTable *table, Str name)
{
    for (const CmdSpec *const *c = table->commands; *c; c++)
        if (str_is(name, (*c)->name))
            return *c;
    return NULL;
}

static bool
begins_with_word(const char *name, Str word)
{
    return str_starts(str_of(name), word) && name[word.n] == ' ';
}

bool
cli_is_first_word(const CliTable *table, Str word)
{
    for (const CmdSpec *const *c = table->commands; *c; c++)
        if (begins_with_word((*c)->name, word))
            return true;
    return false;
}

bool
cli_unknown_command(Arena *a, const CliTable *table, const char *name, Err *err)
{
    err_set(err, ERR_USAGE, "unknown command %s", cli_quotable(a, str_of(name)));
    for (const CmdOtherWord *o = table->other_words; o && o->word; o++) {
        if (strcmp(o->word, name) != 0)
            continue;
        if (o->name)
            return err_hint(err, "here it is called `aramid %s`", o->name);
        err_set(err, ERR_USAGE, "this version has no command `aramid %s`; nothing was done", name);
        return err_hint(err, "%s", o->instead);
    }
    CliNearest near = cli_nearest_begin(str_of(name));
    for (const CmdSpec *const *c = table->commands; *c; c++)
        if (!(*c)->hidden)
            cli_nearest_try(&near, (*c)->name);
    if (near.best)
        err_hint(err, "did you mean `aramid %s`?", near.best);
    return err_hint(err, "`aramid help` lists the commands");
}

/* " --applied NAME|--rolled-back NAME"; of a long list what all begin with: " --from-..." */
static void
add_alternatives(Buf *b, const CmdSpec *spec, const char *const *names)
{
    size_t n = 0, common = strlen(names[0]);
    for (; names[n]; n++)
        while (strncmp(names[0], names[n], common) != 0)
            common--;
    if (n > 3 && common) {
        buf_fmt(b, " --%.*s...", (int)common, names[0]);
        return;
    }
    buf_addc(b, ' ');
    for (const char *const *name = names; *name; name++) {
        const OptSpec *o = spec->options;
        while (strcmp(o->name, *name) != 0)
            o++;
        buf_fmt(b, "%s--%s%s%s", name == names ? "" : "|", o->name, o->value ? " " : "",
                o->value ? o->value : "");
    }
}

char *
cli_usage(Arena *a, const CmdSpec *spec)
{
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "aramid %s", spec->name);
    for (size_t i = 0; i < COUNT(spec->one_of); i++)
        if (spec->one_of[i])
            add_alternatives(&b, spec, spec->one_of[i]);
    for (const ArgSpec *arg = spec->args; arg && arg->name; arg++)
        buf_fmt(&b, " %s%s%s%s", arg->required ? "" : "[", arg->name, arg->repeatable ? "..." : "",
                arg->required ? "" : "]");
    buf_addz(&b, " [options]");
    return b.p;
}

static void
heading(Buf *out, const Term *term, const char *text)
{
    buf_addc(out, '\n');
    term_begin(out, term, TERM_BOLD);
    buf_fmt(out, "%s:", text);
    term_end(out, term, TERM_BOLD);
    buf_addc(out, '\n');
}

/* "  left     text": the text begins at `column` and is wrapped there. */
static void
add_row(Buf *out, const Term *term, const char *left, const char *text, size_t column)
{
    size_t n = strlen(left);
    term_add(out, term, TERM_CYAN, left);
    if (n + 2 > column) {
        buf_addc(out, '\n');
        n = 0;
    }
    buf_addn(out, ' ', column - n);
    term_wrap(out, text, column, column, WIDTH);
    buf_addc(out, '\n');
}

/* " (setting locks.timeout, variable X, default 100ms)", or "". */
static const char *
origin_text(Arena *a, const OptSpec *o)
{
    Buf b;
    buf_init(&b, a);
    if (o->config) {
        const ConfigInfo *info = config_info((ConfigKey)(o->config - 1));
        buf_fmt(&b, "setting %s", info->key);
        if (*info->env)
            buf_fmt(&b, ", variable %s", info->env);
        if (info->dflt)
            buf_fmt(&b, ", default %s", info->dflt);
    } else if (o->env) {
        buf_fmt(&b, "variable%s %s", strchr(o->env, ',') ? "s" : "", o->env);
    }
    return b.n ? str_fmt(a, " (%s)", b.p) : "";
}

static void
add_option(Buf *out, const Term *term, const OptSpec *o, bool is_short)
{
    ARENA_LOCAL(scratch);
    const char *letter = o->letter ? str_fmt(scratch, "-%c, ", o->letter) : "    ";
    const char *left = str_fmt(scratch, "  %s--%s%s%s%s", letter, o->negatable ? "[no-]" : "",
                               o->name, o->value ? " " : "", o->value ? o->value : "");
    const char *text = str_fmt(scratch, "%s%s%s", o->help, is_short ? "" : origin_text(scratch, o),
                               o->repeatable ? "; may be given more than once" : "");
    add_row(out, term, left, text, OPTION_COLUMN);
}

static void
add_options(Buf *out, const Term *term, const char *title, const OptSpec *list, unsigned uses)
{
    bool any = false;
    for (const OptSpec *o = list; o && o->name; o++) {
        if (o->hidden || (o->listed_for && !(uses & o->listed_for)))
            continue;
        if (!any)
            heading(out, term, title);
        any = true;
        add_option(out, term, o, uses == ALL_USES);
    }
}

static void
add_examples(Buf *out, const Term *term, const CmdExample *list)
{
    if (!list)
        return;
    heading(out, term, "Examples");
    for (const CmdExample *e = list; e->line; e++) {
        buf_addz(out, "  ");
        term_add(out, term, TERM_CYAN, e->line);
        buf_addz(out, "\n      ");
        term_wrap(out, e->help, 6, 6, WIDTH);
        buf_addc(out, '\n');
    }
}

static void
add_exits(Buf *out, const Term *term, const CmdSpec *spec)
{
    ARENA_LOCAL(scratch);
    heading(out, term, "Exit status");
    if (spec->prisma_status) {
        add_row(out, term, "    0", "done", 8);
        add_row(out, term, "    1", "anything else", 8);
        return;
    }
    add_row(out, term, "    0", "done", 8);
    for (const CmdExit *e = spec->exits; e && e->meaning; e++)
        add_row(out, term, str_fmt(scratch, "%5d", e->status), e->meaning, 8);
    buf_addz(out, "  Failures: see `aramid help --errors`.\n");
}

void
cli_help_command(Buf *out, const Term *term, const CliTable *table, const CmdSpec *spec)
{
    ARENA_LOCAL(scratch);
    term_begin(out, term, TERM_BOLD);
    buf_fmt(out, "aramid %s", spec->name);
    term_end(out, term, TERM_BOLD);
    buf_fmt(out, " - %s\n\nUsage: %s\nClass: %s\n\n", spec->summary, cli_usage(scratch, spec),
            cli_class_name(spec->class));
    term_wrap(out, spec->description, 0, 0, WIDTH);
    buf_addc(out, '\n');
    if (spec->args) {
        heading(out, term, "Arguments");
        for (const ArgSpec *arg = spec->args; arg->name; arg++)
            add_row(out, term, str_fmt(scratch, "  %s", arg->name), arg->help, OPTION_COLUMN);
    }
    add_options(out, term, "Options", spec->options, spec->uses);
    add_options(out, term, "General options", table->globals, spec->uses);
    add_examples(out, term, spec->examples);
    add_exits(out, term, spec);
}

static void
add_command(Buf *out, const Term *term, const CmdSpec *spec)
{
    ARENA_LOCAL(scratch);
    add_row(out, term, str_fmt(scratch, "  %s", spec->name),
            str_fmt(scratch, "%s [%s]", spec->summary, cli_class_name(spec->class)), 20);
}

void
cli_help_word(Buf *out, const Term *term, const CliTable *table, const char *word)
{
    buf_fmt(out, "Usage: aramid %s COMMAND [options]\n\n", word);
    for (const CmdSpec *const *c = table->commands; *c; c++)
        if (!(*c)->hidden && begins_with_word((*c)->name, str_of(word)))
            add_command(out, term, *c);
    buf_fmt(out, "\n`aramid help %s COMMAND` explains a command.\n", word);
}

void
cli_help_program(Buf *out, const Term *term, const CliTable *table)
{
    term_add(out, term, TERM_BOLD, "aramid");
    buf_addz(out, " " ARAMID_VERSION " - safe migrations for PostgreSQL\n\n"
                  "Usage: aramid COMMAND [options]\n");
    for (int g = 0; g < CMD_GROUP_COUNT; g++) {
        bool any = false;
        for (const CmdSpec *const *c = table->commands; *c; c++) {
            if ((int)(*c)->group != g || (*c)->hidden)
                continue;
            if (!any)
                heading(out, term, cli_group_name((CmdGroup)g));
            any = true;
            add_command(out, term, *c);
        }
    }
    add_options(out, term, "General options", table->globals, ALL_USES);
    buf_addz(out, "\n`aramid help COMMAND` explains a command, `aramid help --errors` exit "
                  "statuses.\n");
}

void
cli_help_errors(Buf *out, const Term *term)
{
    ARENA_LOCAL(scratch);
    buf_addz(out, "Exit statuses 2-9 concern the call, 20-29 migrations and history, 30-39 the\n"
                  "database, 40-49 are temporary: trying again may help.\n\n");
    term_begin(out, term, TERM_BOLD);
    buf_fmt(out, "%5s  %-21s%-8s%s", "exit", "name", "Prisma", "meaning");
    term_end(out, term, TERM_BOLD);
    buf_addc(out, '\n');
    for (int status = 1; status < 256; status++) {
        for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
            const ErrInfo *info = err_info((ErrCode)code);
            if (info->exit_status != status)
                continue;
            const char *left = str_fmt(scratch, "%5d  %-21s%s", status, info->name, info->prisma);
            add_row(out, term, left, info->meaning, 36);
        }
    }
}
