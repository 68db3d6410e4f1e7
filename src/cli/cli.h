/* The command line: const tables say what can be typed; parser, help, completion and reference
 * documents are made from them.
 *
 *     CmdCall call;
 *     if (!cli_parse(a, cli_table(), argc, argv, &call, &err)) ...
 *     status = call.spec->run(&call);
 *
 * A command reads its options with the cli_* getters, loads the configuration with
 * cli_load_config, calls one function of a lower room and hands the result to report/. */
#pragma once

#include "base/err.h"
#include "base/jw.h"
#include "base/trace.h"
#include "base/vec.h"
#include "config/config.h"
#include "report/term.h"

#include <stdio.h>

/* What a command may do: shown in help, and in `aramid help --json`. */
typedef enum CmdClass {
    CMD_INFORMATION, /* looks at nothing but itself */
    CMD_READS,       /* reads files and databases, changes neither */
    CMD_WRITES_FILES,
    CMD_CHANGES_DATABASE,
    CMD_DESTROYS_DATA, /* what is there may be lost */
    CMD_CLASS_COUNT,
} CmdClass;

typedef enum OptType {
    OPT_FLAG,
    OPT_TEXT,
    OPT_PATH,
    OPT_INT,
    OPT_DURATION, /* "250ms", "30s", "5min", "2h"; a bare number is milliseconds */
    OPT_CHOICE,
    OPT_URL, /* secret: overwritten in argv, never quoted in a message */
    OPT_TYPE_COUNT,
} OptType;

/* An option's configuration key: `.config = CLI_SETS(URL)`; 0 = none. */
#define CLI_SETS(id) (CFG_##id + 1)

typedef struct OptSpec {
    const char *name; /* without dashes: "lock-timeout" */
    char letter;      /* 0 = no short form */
    OptType type;
    const char *value;              /* name of the value in help: "DURATION"; NULL for flags */
    const char *const *choices;     /* OPT_CHOICE: the values, NULL at the end */
    const char *const *other_names; /* further accepted spellings, NULL at the end; or NULL */
    const char *env;     /* environment variables with the same meaning, for help; or NULL */
    const char *needs;   /* another option that must be given too; or NULL */
    const char *name_or; /* the value may be left out when this other option has one, and is then
                            the same as there; or NULL */
    int64_t min, max;    /* OPT_INT; both 0 = 0 to 1000000 */
    unsigned config;     /* CLI_SETS(...): the setting that it overrides */
    unsigned listed_for; /* global options: help of commands with this CMD_USES_...; 0 = of all */
    bool negatable;      /* --no-NAME turns the flag off */
    bool repeatable;
    bool may_be_bare; /* its value may be left out */
    bool hidden;
    const char *help;
} OptSpec;

typedef struct ArgSpec {
    const char *name; /* "PID" */
    bool required;
    bool repeatable; /* only the last one */
    bool is_number;
    const char *help;
} ArgSpec;

typedef struct CmdExample {
    const char *line; /* a whole command line; starts with "aramid " */
    const char *help;
} CmdExample;

typedef struct CmdExit {
    int status;
    const char *meaning;
} CmdExit;

/* Two options that exclude each other. */
typedef struct CmdConflict {
    const char *one, *other;
} CmdConflict;

/* Which global options mean something for a command: decides what its help shows. */
enum {
    CMD_USES_PROJECT = 1 << 0,  /* -C, --env, --config, --schema */
    CMD_USES_DATABASE = 1 << 1, /* --migrations, --url */
    CMD_USES_CONFIRM = 1 << 2,  /* --yes */
    CMD_USES_JSON = 1 << 3,     /* --json; an error for other commands */
};

typedef enum CmdGroup {
    CMD_GROUP_MIGRATIONS,
    CMD_GROUP_BACKUP,
    CMD_GROUP_SCHEMA,
    CMD_GROUP_EMBEDDED,
    CMD_GROUP_INFORMATION,
    CMD_GROUP_PRISMA,
    CMD_GROUP_COUNT,
} CmdGroup;

typedef struct CmdCall CmdCall;

typedef struct CmdSpec {
    const char *name; /* "deploy", or two words: "db url" */
    CmdGroup group;
    CmdClass class;
    unsigned uses;                /* CMD_USES_... */
    const char *summary;          /* one line, lower case, no final stop */
    const char *description;      /* paragraphs, separated by empty lines */
    const ArgSpec *args;          /* ends with name NULL; or NULL */
    const OptSpec *options;       /* ends with name NULL; or NULL */
    const char *const *one_of[2]; /* of each list, NULL at its end, exactly one option is given */
    const CmdConflict *conflicts; /* ends with one NULL; or NULL */
    const CmdExample *examples;   /* ends with line NULL; or NULL */
    const CmdExit *exits;         /* beside 0; ends with meaning NULL; or NULL */
    bool prisma_status; /* Prisma's exit statuses: every error is 1 (signals stay 128 + n), as it is
                           for all commands with --exit-code */
    bool hidden;
    int (*run)(CmdCall *call); /* returns the exit status */
} CmdSpec;

/* A word that users of other tools type; only for hints. */
typedef struct CmdOtherWord {
    const char *word;
    const char *name;    /* what it is called here; NULL = this version does not have it */
    const char *instead; /* then: what to type, with the tool that has it */
} CmdOtherWord;

typedef struct CliTable {
    const OptSpec *globals;          /* ends with name NULL */
    const CmdConflict *conflicts;    /* of global options; ends with one NULL */
    const CmdSpec *const *commands;  /* in the order of help, NULL at the end */
    const CmdOtherWord *other_words; /* ends with word NULL */
} CliTable;

/* Aramid's own tables. */
const CliTable *cli_table(void);

/* Names and meanings for help. */
const char *cli_class_name(CmdClass class);
const char *cli_group_name(CmdGroup group);
const char *cli_type_name(OptType type);

/* One option as it was typed. */
typedef struct OptValue {
    const OptSpec *spec;
    const char *spelling; /* "--url", "-C", "--no-create-database" */
    const char *text;     /* NULL for flags */
    int64_t number;       /* OPT_INT, OPT_DURATION (ms); flags: 1, or 0 for --no-x */
} OptValue;

struct CmdCall {
    Arena *arena; /* lives as long as the call */
    const CliTable *table;
    const CmdSpec *spec; /* NULL when no command was named */
    const char *word;    /* the first word of two, when only that was named: "db"; or NULL */
    bool wants_help, wants_version;
    VEC(OptValue) options;
    VEC(const char *) args;
    FILE *out, *err;   /* results; everything else */
    Trace *trace;      /* NULL = none is kept, or no configuration was loaded yet */
    SecretVec secrets; /* of the configuration, once it is loaded: printed nowhere */
    Term term_out, term_err;
};

/* Parse the command line.
 *
 * argv     argv[0] is skipped. Values of URLs are overwritten in place, so that they do not show
 *          in the process list; the call holds copies
 * ret      .out and .err are stdout and stderr; the terminals are detected
 * errors   ERR_USAGE: unknown command or option (with the nearest spelling), value missing or of
 *          the wrong type, option given twice, options that exclude or need each other, too few or
 *          too many arguments. `ret` is filled as far as it was understood, and `ret->spec` is set
 *          when the command is known
 * With -h or --version only the command's name is checked. */
MUST_CHECK bool cli_parse(Arena *a, const CliTable *table, int argc, char **argv, CmdCall *ret,
                          Err *err);

/* Options of a parsed call, by name without dashes; one that this command does not have counts as
 * not given. A name that no command knows breaks an INVARIANT. */
bool cli_given(const CmdCall *call, const char *name);
bool cli_flag(const CmdCall *call, const char *name);        /* false when not given */
const char *cli_text(const CmdCall *call, const char *name); /* NULL when not given */
int64_t cli_number(const CmdCall *call, const char *name, int64_t otherwise);

/* Positional argument number `index`, NULL when there are fewer. */
const char *cli_arg(const CmdCall *call, size_t index);

/* Load the configuration that the call's options ask for. The current folder is already -C's.
 * From here on the call hides its secrets in all that it prints, and keeps the trace that the
 * configuration asks for.
 * errors: those of config_load; ERR_IO, the trace cannot be written. */
MUST_CHECK bool cli_load_config(CmdCall *call, Config *ret, Err *err);

/* The same as if --schema had named this schema. */
MUST_CHECK bool cli_load_config_of(CmdCall *call, const char *schema, Config *ret, Err *err);

/* The same for a command that only looks: what is wrong with it is added to `problems`, and `ret`
 * holds the rest. `request` is what it was loaded with. */
MUST_CHECK bool cli_load_config_to_look(CmdCall *call, ConfigRequest *request,
                                        ConfigProblems *problems, Config *ret, Err *err);

/* The same as if --env had named this environment. */
MUST_CHECK bool cli_load_config_for(CmdCall *call, const char *env, Config *ret, Err *err);

/* Path of this program, for processes that it starts. */
const char *cli_self_exe(const CmdCall *call);

/* `path` relative to the current folder when it lies below it, else as it is. */
const char *cli_shown_path(Arena *a, const char *path);

/* A result without the call's secrets, and printed on standard output. */
Str cli_hidden(const CmdCall *call, const Buf *text);
void cli_print(const CmdCall *call, const Buf *text);
/* The same for what is told beside the result, on standard error; not with --quiet. */
void cli_tell(const CmdCall *call, const Buf *text);
/* Whether the output of a command only tells what it did to a database or to backups: that it is lost
 * is then no failure. cli_print repeats it on standard error. */
bool cli_only_reports(const CmdCall *call);

/* What a command answers: its JSON where --json was given, else its text. Fill the one that is_json
 * names, and print it. */
typedef struct CliAnswer {
    bool is_json;
    Buf text;
    JsonWriter json;
} CliAnswer;

CliAnswer cli_answer(const CmdCall *call);
void cli_answer_print(const CmdCall *call, const CliAnswer *answer);

/* Print SQL or a schema on standard output as it is: words of the call's secrets may be names in it.
 * On a terminal it is made printable. */
void cli_print_exactly(const CmdCall *call, Str text);

/* Print a remark on standard error, unless --quiet; a line end is added when there is none. */
__attribute__((format(printf, 2, 3))) void cli_note(const CmdCall *call, const char *fmt, ...);

/* Make an error ready to be shown: the commands in its hint get the options of this call, its secrets
 * and whatever looks like a password are taken out. */
void cli_finish_error(const CmdCall *call, Err *err);

/* Stops waits when a signal was caught (os_signals_catch). A DbTick. */
bool cli_tick(void *unused, int64_t elapsed_ms);

/* Report an error on standard error, and with --json as {"error": {...}} on standard output;
 * returns the exit status. */
int cli_fail(const CmdCall *call, const Err *err);

/* ---- help --------------------------------------------------------------------------------- */

/* "aramid deploy [options]": the usage line. */
char *cli_usage(Arena *a, const CmdSpec *spec);

/* Write the help of a command, of a first word ("db"), and of the program. At most 80 columns. */
void cli_help_command(Buf *out, const Term *term, const CliTable *table, const CmdSpec *spec);
void cli_help_word(Buf *out, const Term *term, const CliTable *table, const char *word);
void cli_help_program(Buf *out, const Term *term, const CliTable *table);

/* Write all tables as JSON: commands, options, errors, settings. */
void cli_help_json(Buf *out, const CliTable *table);

/* Write the table of errors and exit statuses. */
void cli_help_errors(Buf *out, const Term *term);

/* The command called `name` (one word or two), hidden ones included; NULL when there is none. */
const CmdSpec *cli_find_command(const CliTable *table, Str name);

/* Whether some command's name begins with this word and has a second one. */
bool cli_is_first_word(const CliTable *table, Str word);

/* Fill err with ERR_USAGE for an unknown command; the hint names the nearest one. */
MUST_CHECK bool cli_unknown_command(Arena *a, const CliTable *table, const char *name, Err *err);

/* Parse, run and finish: everything behind main(). Returns the exit status. */
int cli_main(const CliTable *table, int argc, char **argv);
