#include "cli/cli.h"

#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- a table for the tests ------------------------------------------------------------------ */
/* clang-format off */

static int
run_nothing(CmdCall *call)
{
    (void)call;
    return 0;
}

static const char *const colors[] = {"auto", "always", "never", NULL};
static const char *const old_names[] = {"path", NULL};

static const OptSpec globals[] = {
    {.name = "directory", .letter = 'C', .type = OPT_PATH, .value = "DIR", .help = "folder"},
    {.name = "url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(URL), .help = "url"},
    {.name = "env", .type = OPT_TEXT, .value = "NAME", .help = "environment"},
    {.name = "config", .type = OPT_PATH, .value = "PATH", .help = "file"},
    {.name = "schema", .type = OPT_PATH, .value = "PATH", .other_names = old_names, .help = "file"},
    {.name = "json", .type = OPT_FLAG, .help = "JSON"},
    {.name = "color", .type = OPT_CHOICE, .value = "WHEN", .choices = colors, .help = "colours"},
    {.name = "quiet", .letter = 'q', .type = OPT_FLAG, .help = "less"},
    {.name = "verbose", .letter = 'v', .type = OPT_FLAG, .help = "more"},
    {.name = "help", .letter = 'h', .type = OPT_FLAG, .help = "help"},
    {.name = "version", .letter = 'V', .type = OPT_FLAG, .help = "version"},
    {0},
};

static const CmdConflict global_conflicts[] = {{"quiet", "verbose"}, {0}};

static const OptSpec run_options[] = {
    {.name = "count", .letter = 'n', .type = OPT_INT, .value = "N", .min = 1, .max = 9,
     .help = "count"},
    {.name = "wait", .type = OPT_DURATION, .value = "DURATION", .help = "time"},
    {.name = "create", .type = OPT_FLAG, .negatable = true, .help = "create"},
    {.name = "tag", .type = OPT_TEXT, .value = "TAG", .repeatable = true, .help = "tag"},
    {0},
};

static const CmdSpec run = {.name = "run", .class = CMD_READS, .uses = CMD_USES_JSON,
                            .summary = "s", .description = "d", .options = run_options,
                            .run = run_nothing};

static const OptSpec mark_options[] = {
    {.name = "applied", .type = OPT_TEXT, .value = "NAME", .name_or = "up-to", .help = "one"},
    {.name = "up-to", .type = OPT_TEXT, .value = "NAME", .name_or = "applied",
     .needs = "applied", .help = "many"},
    {.name = "undone", .type = OPT_TEXT, .value = "NAME", .help = "undone"},
    {0},
};

static const char *const mark_one_of[] = {"applied", "undone", NULL};

static const CmdSpec mark = {.name = "mark", .summary = "s", .description = "d",
                             .options = mark_options, .one_of = {mark_one_of}, .run = run_nothing};

static const ArgSpec kill_args[] = {
    {.name = "PID", .required = true, .is_number = true, .help = "process"},
    {.name = "WORD", .repeatable = true, .help = "words"},
    {0},
};

static const CmdSpec db_kill = {.name = "db kill", .summary = "s", .description = "d",
                                .args = kill_args, .run = run_nothing};
static const CmdSpec db_url = {.name = "db url", .summary = "s", .description = "d",
                               .run = run_nothing};
static const CmdSpec db_secret = {.name = "db hidden", .summary = "s", .description = "d",
                                  .hidden = true, .run = run_nothing};

static const CmdSpec *const commands[] = {&run, &mark, &db_kill, &db_url, &db_secret, NULL};
static const CmdOtherWord other_words[] = {{.word = "go", .name = "run"}, {0}};
static const CliTable table = {globals, global_conflicts, commands, other_words};
/* clang-format on */

/* Parse a line that is split at spaces; the words are writable, as argv's are. */
static bool
parse_line(Arena *a, const char *line, char ***ret_argv, CmdCall *call, Err *err)
{
    char **argv = arena_array(a, char *, 32);
    int argc = 0;
    argv[argc++] = str_dupz(a, "aramid");
    for (Str rest = str_of(line); rest.p && *line;)
        argv[argc++] = str_dup(a, str_cut(&rest, ' '));
    if (ret_argv)
        *ret_argv = argv;
    return cli_parse(a, &table, argc, argv, call, err);
}

static CmdCall *
good(Arena *a, const char *line)
{
    CmdCall *call = arena_new(a, CmdCall);
    Err err;
    if (!parse_line(a, line, NULL, call, &err))
        fail_msg("%s: %s", line, err.primary);
    return call;
}

static void
bad(const char *line, const char *primary, const char *hint)
{
    ARENA_LOCAL(a);
    CmdCall call;
    Err err;
    if (parse_line(a, line, NULL, &call, &err))
        fail_msg("accepted: %s", line);
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.primary, primary);
    if (!strstr(err.hint, hint))
        fail_msg("%s: hint is \"%s\"", line, err.hint);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
commands_are_found(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    assert_ptr_equal(good(a, "run")->spec, &run);
    assert_ptr_equal(good(a, "db url")->spec, &db_url);
    assert_ptr_equal(good(a, "db hidden")->spec, &db_secret);
    assert_ptr_equal(good(a, "--env x db -C /tmp url --quiet")->spec, &db_url);
    assert_null(good(a, "")->spec);
    assert_null(good(a, "db")->spec);
    assert_string_equal(good(a, "db")->word, "db");
    assert_ptr_equal(good(a, "--count 3 run")->spec, &run);
    bad("runn", "unknown command \"runn\"", "did you mean `aramid run`?");
    bad("db ulr", "unknown command \"db ulr\"", "did you mean `aramid db url`?");
    bad("db hiden", "unknown command \"db hiden\"", "`aramid help` lists the commands");
    bad("go", "unknown command \"go\"", "here it is called `aramid run`");
    bad("x\033[31m", "unknown command \"x\\x1b[31m\"", "aramid help");
}

static void
options_in_every_form(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const lines[] = {
        "-C /x --env prod run --count 3 -v",
        "run -C/x -vn3 --env=prod",
        "--directory=/x run --env prod -vn 3",
        "-vC /x --env prod run -n3",
        "run --env prod --directory /x --verbose --count=3 --",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CmdCall *call = good(a, lines[i]);
        assert_ptr_equal(call->spec, &run);
        assert_string_equal(cli_text(call, "directory"), "/x");
        assert_string_equal(cli_text(call, "env"), "prod");
        assert_int_equal(cli_number(call, "count", 0), 3);
        assert_true(cli_flag(call, "verbose"));
        assert_false(cli_flag(call, "quiet"));
        assert_false(cli_given(call, "url"));
        assert_null(cli_text(call, "schema"));
    }
    CmdCall *call = good(a, "run --path p --wait 2min --no-create --tag a --tag b");
    assert_string_equal(cli_text(call, "schema"), "p");
    assert_int_equal(cli_number(call, "wait", 0), 120000);
    assert_true(cli_given(call, "create"));
    assert_false(cli_flag(call, "create"));
    assert_int_equal(call->options.n, 5);
    assert_true(cli_flag(good(a, "run --create --create"), "create"));
    assert_int_equal(cli_number(good(a, "run"), "count", 7), 7);
    /* A value may look like an option that nobody knows. */
    assert_string_equal(cli_text(good(a, "run --tag -x9"), "tag"), "-x9");
    assert_string_equal(cli_text(good(a, "run --tag -"), "tag"), "-");
}

static void
arguments(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    CmdCall *call = good(a, "db kill 12 a -v b -- --url -- -q");
    assert_int_equal(call->args.n, 6);
    assert_string_equal(cli_arg(call, 0), "12");
    assert_string_equal(cli_arg(call, 3), "--url");
    assert_string_equal(cli_arg(call, 5), "-q");
    assert_null(cli_arg(call, 6));
    assert_true(cli_flag(call, "verbose"));
    assert_false(cli_flag(call, "quiet"));
    bad("db kill", "\"db kill\" needs an argument: PID", "see `aramid help db kill`");
    bad("db kill x", "\"x\" is not a number, as PID has to be", "aramid help db kill");
    bad("db kill 0", "\"0\" is not a number, as PID has to be", "aramid help db kill");
    bad("run production", "unexpected argument \"production\"", "see `aramid help run`");
}

static void
wrong_options(void **state)
{
    (void)state;
    bad("run --cuont 3", "unknown option \"--cuont\"", "did you mean --count?");
    bad("run --cuont=3", "unknown option \"--cuont\"", "did you mean --count?");
    bad("run -count", "unknown option \"-c\"", "did you mean --count?");
    bad("run --no-creat", "unknown option \"--no-creat\"", "did you mean --no-create?");
    bad("run --no-count", "unknown option \"--no-count\"", "");
    bad("run --undone x", "unknown option \"--undone\"", "see `aramid help run`");
    bad("--bogus=secret", "unknown option \"--bogus\"", "see `aramid help`");
    bad("run -vx", "unknown option \"-x\"", "see `aramid help run`");
    bad("run --count", "option --count needs a value: --count N", "aramid help run");
    bad("run --count --json", "option --count needs a value: --count N", "aramid help run");
    bad("run -n", "option -n needs a value: -n N", "aramid help run");
    bad("run --count 3x", "\"3x\" is no value for --count", "aramid help run");
    bad("run --count 10", "\"10\" is no value for --count", "aramid help run");
    bad("run --count -1", "\"-1\" is no value for --count", "aramid help run");
    bad("run --wait 3weeks", "\"3weeks\" is no duration, as --wait needs it", "aramid help run");
    bad("run --color alway", "\"alway\" is no value for --color", "did you mean --color always?");
    bad("run --url=", "the value of --url is empty", "is the variable set here?");
    bad("run --create=yes", "option --create takes no value", "aramid help run");
    bad("run --env a --env b", "option --env was given twice", "aramid help run");
    bad("run --create --no-create", "options --create and --no-create exclude each other", "");
    bad("run -q --verbose", "options -q and --verbose exclude each other", "aramid help run");
    bad("db url --json", "\"db url\" has no JSON output", "aramid help db url");
}

static void
names_of_two_options(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    CmdCall *call = good(a, "mark --applied one");
    assert_string_equal(cli_text(call, "applied"), "one");
    assert_false(cli_given(call, "up-to"));
    call = good(a, "mark --applied --up-to last");
    assert_true(cli_given(call, "applied"));
    assert_string_equal(cli_text(call, "applied"), "last");
    assert_string_equal(cli_text(call, "up-to"), "last");
    call = good(a, "mark --applied last --up-to");
    assert_string_equal(cli_text(call, "applied"), "last");
    assert_string_equal(cli_text(call, "up-to"), "last");
    bad("mark", "\"mark\" needs --applied or --undone", "see `aramid help mark`");
    bad("mark --applied", "option --applied needs a value: --applied NAME", "");
    bad("mark --applied --up-to", "option --applied needs a value: --applied NAME", "");
    bad("mark --applied a --up-to b",
        "options --applied and --up-to together take one NAME, not two", "");
    bad("mark --undone a --up-to b", "option --up-to has a meaning only together with --applied",
        "");
    bad("mark --undone a --applied b", "options --applied and --undone exclude each other", "");
}

static void
help_and_version(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    assert_true(good(a, "-h")->wants_help);
    assert_true(good(a, "run --bogus --help")->wants_help);
    assert_ptr_equal(good(a, "run --bogus --help")->spec, &run);
    assert_true(good(a, "mark -h")->wants_help);
    assert_true(good(a, "db -h")->wants_help);
    assert_true(good(a, "-V")->wants_version);
    assert_false(good(a, "db kill 1 -- -h")->wants_help);
    assert_false(good(a, "run --tag=-h")->wants_help);
    bad("nope -h", "unknown command \"nope\"", "");
}

static void
secrets_leave_argv(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *line, *argv;
        int at;
    } cases[] = {
        {"run --url postgres://u:pw@h/d", "postgres://****@h/d", 3},
        {"run --url=postgres://u:p@w@h:1/d?sslmode=x", "--url=postgres://*****@h:1/d?*********", 2},
        {"run --url postgres://h/d", "postgres://h/d", 3},
        {"run --url geheim", "******", 3},
        {"run postgres://u:pw@h/d", "postgres://****@h/d", 2},
        {"run --tag x=postgres://u:pw@h", "x=postgres://****@h", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CmdCall call;
        Err err;
        char **argv;
        bool ok = parse_line(a, cases[i].line, &argv, &call, &err);
        assert_string_equal(argv[cases[i].at], cases[i].argv);
        if (ok && cli_given(&call, "url"))
            assert_true(strchr(cli_text(&call, "url"), '*') == NULL);
        assert_null(strstr(err.primary, "pw"));
    }
    CmdCall *call = good(a, "run --url postgres://u:pw@h/d");
    assert_string_equal(cli_text(call, "url"), "postgres://u:pw@h/d");
}

/* Any words in any order: an error is filled exactly when the answer is false. */
static void
any_words(void **state)
{
    (void)state;
    static const char *const words[] = {
        "run",     "mark", "db",  "kill",     "url",      "-",           "--",       "-v",
        "-vq",     "-n",   "-n3", "--count",  "--count=", "--tag",       "--tag=",   "--applied",
        "--up-to", "-h",   "-V",  "--url",    "x://y@z",  "--no-create", "--create", "12",
        "-C",      "--=",  "---", "\xff\x01", "--json",   "-é",          "=",        "--env=a=b",
    };
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        ARENA_LOCAL(a);
        Buf line;
        buf_init(&line, a);
        for (unsigned n = round % 7; n > 0; n--) {
            seed = seed * 1664525u + 1013904223u;
            buf_fmt(&line, "%s%s", line.n ? " " : "", words[(seed >> 16) % 32]);
        }
        CmdCall call;
        Err err;
        bool ok = parse_line(a, line.p, NULL, &call, &err);
        if (!ok && (err.code != ERR_USAGE || !*err.primary || !*err.hint))
            fail_msg("%s", line.p);
    }
}

/* Rules that hold for every table of Aramid itself. */
static void
own_tables_are_sound(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const CliTable *own = cli_table();
    for (const CmdSpec *const *c = own->commands; *c; c++) {
        assert_non_null((*c)->summary);
        assert_non_null((*c)->description);
        assert_non_null((*c)->run);
        for (const OptSpec *o = (*c)->options; o && o->name; o++) {
            assert_non_null(o->help);
            assert_int_equal(o->type == OPT_FLAG, o->value == NULL);
            assert_int_equal(o->type == OPT_CHOICE, o->choices != NULL);
            for (const OptSpec *g = own->globals; g->name; g++)
                if (!o->may_be_bare) /* says more of an option that all have */
                    assert_string_not_equal(g->name, o->name);
        }
        for (const CmdExample *e = (*c)->examples; e && e->line; e++)
            assert_non_null(strstr(e->line, "aramid "));
        Buf help;
        buf_init(&help, a);
        cli_help_command(&help, &(Term){0}, own, *c);
        for (Str rest = buf_str(&help); rest.p;)
            assert_true(term_columns(str_cut(&rest, '\n')) <= 80);
    }
    for (const CmdOtherWord *o = own->other_words; o->word; o++) {
        assert_true((o->name != NULL) != (o->instead != NULL));
        if (o->name)
            assert_non_null(cli_find_command(own, str_of(o->name)));
        assert_null(cli_find_command(own, str_of(o->word)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found),
        cmocka_unit_test(options_in_every_form),
        cmocka_unit_test(arguments),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(names_of_two_options),
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(secrets_leave_argv),
        cmocka_unit_test(any_words),
        cmocka_unit_test(own_tables_are_sound),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
