#include "tests.h"

#include <stdlib.h>

/* The value of `key` in one .env file, "(none)" when it is not there. */
static const char *
value(Arena *a, const char *text, const char *key)
{
    Err err = {0};
    EnvSet set = {0};
    EnvHit hit;
    *vec_add(a, &set.layers) = (EnvLayer){0};
    *vec_add(a, &set.layers) = (EnvLayer){.path = ".env"};
    if (!config_dotenv_parse(a, ".env", str_of(text), &set.layers.v[1].vars, &err))
        fail_msg("%s: %s", text, err.primary);
    return config_env_find_in(a, &set, 1, key, &hit) ? hit.value : "(none)";
}

void
dotenv_values(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"A=1", "1"},
        {"A = 1 ", "1"},
        {"  export A=1", "1"},
        {"export\tA='1'", "1"},
        {"A: 1", "1"},
        {"\xef\xbb\xbf"
         "A=1\r\nB=2\r\n",
         "1"},
        {"# c\n\n  # d\nA=1", "1"},
        {"A=", ""},
        {"A=\nB=1", ""},
        {"A=''", ""},
        {"A=1 # comment", "1"},
        {"A=# comment", ""},
        {"A=x#y", "x#y"},
        {"A=postgres://u:p#w@h/db?x=1&y=2", "postgres://u:p#w@h/db?x=1&y=2"},
        {"A='x # y' # z", "x # y"},
        {"A=\"x # y\"# z", "x # y"},
        {"A='it\\'s'", "it\\'s"},
        {"A='C:\\dir\\'", "C:\\dir\\"},
        {"A='a\\nb'", "a\\nb"},
        {"A=\"a\\nb\\t\\\"c\\\"\\\\\\w\"", "a\nb\t\"c\"\\\\w"},
        {"A=`a \"b\" 'c'`", "a \"b\" 'c'"},
        {"A=\"line 1\nline 2\"\nB=x", "line 1\nline 2"},
        {"A='1\r\n2'", "1\r\n2"},
        {"A='x' y", "'x' y"},
        {"A=\"x\" \"y\"", "\"x\" \"y\""},
        {"A={\"k\": 'v'}", "{\"k\": 'v'}"},
        {"A=1\nA=2", "2"},
        {"A.B-C=1\nA=3", "3"},
        {"A=a=b", "a=b"},
        {"A=$(rm -rf /)`id`", "$(rm -rf /)`id`"},
        {"A=\"$(id)\"", "$(id)"},
        {"B=1", "(none)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(value(a, cases[i].text, "A"), cases[i].expected);
}

void
dotenv_errors(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text;
        size_t n;
        int line;
        const char *what;
    } cases[] = {
        {"A=1\nSECRET\n", 0, 2, "not KEY=VALUE"},
        {"A=1\r\n\r\n=SECRET", 0, 3, "not KEY=VALUE"},
        {"1A=SECRET", 0, 1, "not KEY=VALUE"},
        {"export SECRET", 0, 1, "not KEY=VALUE"},
        {"-----BEGIN SECRET-----", 0, 1, "not KEY=VALUE"},
        {"B=\"x\ny\"\nKEY=\"SECRET\n\n", 0, 3, "KEY"},
        {"KEY='SECRET", 0, 1, "never closed"},
        {"KEY=\"SECRET\\\"", 0, 1, "never closed"},
        {"K\0E\0Y\0=\0", 8, 0, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Err err = {0};
        EnvVarVec vars;
        Str text = {cases[i].text, cases[i].n ? cases[i].n : strlen(cases[i].text)};
        assert_false(config_dotenv_parse(a, ".env", text, &vars, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(err.at.line, cases[i].line);
        assert_string_equal(err.at.path, ".env");
        assert_non_null(strstr(err.primary, cases[i].what));
        assert_null(strstr(err.primary, "SECRET"));
        assert_null(strstr(err.detail, "SECRET"));
    }
}

void
dotenv_expands(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    setenv("CONFIG_TEST_P", "from process", 1);
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"B=x\nA=${B}-$B", "x-x"},
        {"B=x\nA=\"${B}-$B\\n\"", "x-x\n"},
        {"B=x\nA='${B}-$B'", "${B}-$B"},
        {"B=x\nA=`${B}`", "${B}"},
        {"B=x\nA=\\${B}\\$B", "${B}$B"},
        {"B=x\nA=\"\\${B}\"", "${B}"},
        {"CONFIG_TEST_P=file\nA=$CONFIG_TEST_P", "from process"},
        {"A=pa$$word$", "pa$$word$"},
        {"A=${CONFIG_NONE}x", "${CONFIG_NONE}x"},
        {"A=${CONFIG_NONE:-d}x", "dx"},
        {"A=${CONFIG_NONE-d}", "d"},
        {"B=\nA=${B:-d}", "d"},
        {"B=\nA=${B-d}", ""},
        {"A=${CONFIG_NONE", "${CONFIG_NONE"},
        {"A=${}$1${1}", "${}$1${1}"},
        {"A=${A}x", "${A}x"},
        {"A=1\nA=${A}2", "12"},
        {"C=1\nB=${C}2\nA=${B}3", "123"},
        {"A=${B}\nB=late", "late"},
        {"A=${B}\nB=${A}", "${A}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(value(a, cases[i].text, "A"), cases[i].expected);
    unsetenv("CONFIG_TEST_P");
}

/* References that would double with every line end soon. */
void
dotenv_bounded(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "V0=0123456789\n");
    for (int i = 1; i < 60; i++)
        buf_fmt(&b, "V%d=$V%d$V%d\n", i, i - 1, i - 1);
    assert_true(strlen(value(a, b.p, "V59")) < 10u * 1024 * 1024);
}
