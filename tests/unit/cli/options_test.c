/* Every option that a command asks for by name is one of its own table's, or a global one. */
#include "base/fs.h"
#include "cli/cli.h"
#include "cli/commands.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *folder;

static bool
has_option(const OptSpec *list, Str name)
{
    for (const OptSpec *o = list; o && o->name; o++)
        if (str_is(name, o->name))
            return true;
    return false;
}

static bool
is_declared(const CliTable *table, Str name)
{
    bool known = has_option(table->globals, name);
    for (const CmdSpec *const *c = table->commands; *c && !known; c++)
        known = has_option((*c)->options, name);
    return known;
}

/* The text of the next "..." behind a getter's first argument: cli_flag(call, "json"). */
static bool
next_name(Str *rest, Str *ret)
{
    static const char *const getters[] = {"cli_given(", "cli_flag(", "cli_text(", "cli_number("};
    while (rest->n) {
        for (size_t i = 0; i < sizeof getters / sizeof *getters; i++) {
            if (!str_starts(*rest, str_of(getters[i])))
                continue;
            size_t at = strlen(getters[i]);
            while (at < rest->n &&
                   (isalnum((unsigned char)rest->p[at]) || strchr("_->.,& \n", rest->p[at])))
                at++;
            size_t from = ++at;
            if (at >= rest->n || rest->p[at - 1] != '"')
                continue;
            while (at < rest->n && rest->p[at] != '"')
                at++;
            *ret = str_slice(*rest, from, at);
            *rest = str_slice(*rest, at, rest->n);
            return true;
        }
        *rest = str_slice(*rest, 1, rest->n);
    }
    return false;
}

/* What the sources ask for: found by reading them, so that no command must be run for it. */
static void
options_asked_for_exist(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    FsEntryVec list = {0};
    Err err;
    int asked = 0, wrong = 0;
    assert_true(fs_list(a, folder, &list, &err));
    vec_each (const FsEntry, file, &list) {
        Str text, name;
        if (!str_ends(str_of(file->name), STR(".c")))
            continue;
        assert_true(fs_read(a, fs_join(a, folder, file->name), 0, &text, &err));
        while (next_name(&text, &name)) {
            asked++;
            if (is_declared(cli_table(), name))
                continue;
            print_error("%s asks for --" STR_FMT ", which no command has\n", file->name,
                        STR_ARG(name));
            wrong++;
        }
    }
    assert_true(asked > 100); /* else the getters have other names now */
    assert_int_equal(wrong, 0);
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_asked_for_exist),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
