#include "tests.h"

static const char *
setting(const AramidYaml *y, const char *env, ConfigKey key)
{
    vec_each (YamlSetting, s, &y->settings) {
        if (s->key == key && (env ? s->env && !strcmp(s->env, env) : !s->env))
            return s->text;
    }
    return "(none)";
}

void
yaml_good(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    AramidYaml y = {0};
    Err err = {0};
    const char *text = "# comment\n"
                       "url: ${DATABASE_URL}\n"
                       "locks:\n  timeout: 250ms\n  budget: \"10min\"\n"
                       "timeouts.connect: 3s\n"
                       "retries: 5\nseed:\n"
                       "ignore:\n  - scratch\n  - 'public.tmp_*'\n"
                       "environments:\n"
                       "  production:\n    profile: production\n    confirm: yes\n"
                       "    locks: {timeout: 50ms}\n"
                       "  eu-1: {url: 'postgres://h/${X}'}\n"
                       "  empty:\n";
    assert_true(config_yaml_parse(a, "aramid.yaml", str_of(text), &y, &err));
    assert_string_equal(setting(&y, NULL, CFG_URL), "${DATABASE_URL}");
    assert_string_equal(setting(&y, NULL, CFG_LOCK_TIMEOUT), "250ms");
    assert_string_equal(setting(&y, NULL, CFG_LOCK_BUDGET), "10min");
    assert_string_equal(setting(&y, NULL, CFG_CONNECT_TIMEOUT), "3s");
    assert_string_equal(setting(&y, NULL, CFG_SEED), "(none)");
    assert_string_equal(setting(&y, NULL, CFG_IGNORE), "scratch, public.tmp_*");
    assert_string_equal(setting(&y, "production", CFG_LOCK_TIMEOUT), "50ms");
    assert_string_equal(setting(&y, "eu-1", CFG_URL), "postgres://h/${X}");
    assert_int_equal(y.environments.n, 3);
    assert_string_equal(y.environments.v[2], "empty");
    const char *empty[] = {"", "# nothing\n", "---\n", "~\n", "{}\n", "environments:\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        AramidYaml none = {0};
        assert_true(config_yaml_parse(a, "aramid.yaml", str_of(empty[i]), &none, &err));
        assert_int_equal(none.settings.n + none.environments.n, 0);
    }
}

void
yaml_bad(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *what, *hint;
        int line, column;
    } cases[] = {
        {"locks:\n  timout: 1s", "unknown setting \"locks.timout\"", "locks.timeout", 2, 3},
        {"lock_timeout: 1s", "unknown", "locks.timeout", 1, 1},
        {"environment: {}", "unknown", "environments", 1, 1},
        {"retry: 1", "unknown setting \"retry\"", "retries", 1, 1},
        {"zzzzzzzzzzzz: 1", "unknown", "the settings are: url, direct_url", 1, 1},
        {"url: a\nurl: b", "set twice", "", 2, 1},
        {"locks:\n  timeout: 1s\nlocks.timeout: 2s", "set twice", "", 3, 1},
        {"environments:\n  a: {}\n  a: {}", "set twice", "", 3, 3},
        {"url: [SECRET]", "single value", "", 1, 6},
        {"url: {a: SECRET}", "single value", "", 1, 6},
        {"ignore: [a, [SECRET]]", "without commas", "", 1, 13},
        {"ignore: ['SECRET,b']", "without commas", "", 1, 10},
        {"drift: SECRET", "off, warn, refuse", "", 1, 8},
        {"locks: SECRET", "mapping of settings", "", 1, 8},
        {"locks: [1]", "mapping of settings", "", 1, 8},
        {"environments: [a]", "mapping of names", "", 1, 15},
        {"environments:\n  a: SECRET", "must be a mapping", "", 2, 6},
        {"environments:\n  a: {uri: x}", "unknown setting \"uri\"", "url", 2, 7},
        {"environments:\n  a: {environments: {}}", "unknown", "", 2, 7},
        {"retries: SECRET", "whole number", "", 1, 10},
        {"confirm: SECRET", "true nor false", "", 1, 10},
        {"locks: {timeout: 5 SECRET}", "duration", "", 1, 18},
        {"locks: {timeout: -1}", "duration", "", 1, 18},
        {"locks: {timeout: 30d}", "duration", "", 1, 18},
        {"profile: prod", "development, staging, production", "", 1, 10},
        {"edited: SECRET", "warn nor error", "", 1, 9},
        {"postgres://u:SECRET@h", "must be a mapping", "", 1, 1},
        {"\"postgres://u:SECRET@h\": 1", "not the name of a setting", "", 1, 1},
        {"[url]: 1", "not the name", "", 1, 1},
        {"- a", "must be a mapping", "", 1, 1},
        {"url: &x SECRET\ndirect_url: *x", "aliases", "", 2, 13},
        {"url: a\n---\nurl: b", "more than one document", "", 2, 1},
        {"locks:\n\ttimeout: 1s", "not valid YAML", "spaces", 2, 1},
        {"url: \"SECRET", "not valid YAML", "", 0, 0},
        {"url: 'a\\0'\nretries: \"1\\0\"", "NUL", "", 2, 10},
        {"locks: {timeout: {a: {b: 1}}}", "single value", "", 1, 18},
        {"findings: SECRET", "mapping of ids", "", 1, 11},
        {"findings: [a]", "mapping of ids", "", 1, 11},
        {"findings:\n  relation-indx: off", "no finding \"relation-indx\"", "relation-index", 2, 3},
        {"findings:\n  type-unknown: off", "neither silenced nor changed", "explain", 2, 3},
        {"findings: {relation-index: SECRET}", "off, notice, warning or error", "", 1, 28},
        {"findings: {relation-index: off, relation-index: off}", "set twice", "", 1, 33},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AramidYaml y = {0};
        Err err = {0};
        if (config_yaml_parse(a, "aramid.yaml", str_of(cases[i].text), &y, &err))
            fail_msg("%s was accepted", cases[i].text);
        if (!strstr(err.primary, cases[i].what) || !strstr(err.hint, cases[i].hint))
            fail_msg("%s: %s / %s", cases[i].text, err.primary, err.hint);
        assert_int_equal(err.code, ERR_CONFIG);
        if (cases[i].line) {
            assert_int_equal(err.at.line, cases[i].line);
            assert_int_equal(err.at.column, cases[i].column);
        }
        assert_null(strstr(err.primary, "SECRET"));
        assert_null(strstr(err.detail, "SECRET"));
        assert_null(strstr(err.hint, "SECRET"));
    }
}

void
values_checked(void **state)
{
    (void)state;
    static const struct {
        ConfigKey key;
        const char *text;
        int64_t number; /* -1 = refused */
    } cases[] = {
        {CFG_LOCK_TIMEOUT, "250ms", 250},
        {CFG_LOCK_TIMEOUT, "30s", 30000},
        {CFG_LOCK_TIMEOUT, "5min", 300000},
        {CFG_LOCK_TIMEOUT, "2h", 7200000},
        {CFG_LOCK_TIMEOUT, "1 d", 86400000},
        {CFG_LOCK_TIMEOUT, " 30000 ", 30000},
        {CFG_LOCK_TIMEOUT, "0", 0},
        {CFG_LOCK_TIMEOUT, "2147483647", 2147483647},
        {CFG_LOCK_TIMEOUT, "2147483648", -1},
        {CFG_LOCK_TIMEOUT, "25d", -1},
        {CFG_LOCK_TIMEOUT, "", -1},
        {CFG_LOCK_TIMEOUT, "s", -1},
        {CFG_LOCK_TIMEOUT, "1.5s", -1},
        {CFG_LOCK_TIMEOUT, "1S", -1},
        {CFG_MAX_RETRIES, "3", 3},
        {CFG_MAX_RETRIES, "-3", -1},
        {CFG_MAX_RETRIES, "three", -1},
        {CFG_CONFIRM, "Yes", 1},
        {CFG_CONFIRM, "off", 0},
        {CFG_CONFIRM, "maybe", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t n;
        const char *wrong = config_value_check(cases[i].key, cases[i].text, &n);
        assert_int_equal(wrong == NULL, cases[i].number >= 0);
        if (!wrong)
            assert_int_equal(n, cases[i].number);
    }
    for (int k = 0; k < CFG_COUNT; k++) {
        const ConfigInfo *info = config_info((ConfigKey)k);
        int64_t n;
        assert_int_equal(config_value_key_of(str_of(info->key)), k);
        assert_true(info->help[0] != 0);
        assert_true(!info->dflt || !config_value_check((ConfigKey)k, info->dflt, &n));
    }
    assert_int_equal(config_value_key_of(STR("none")), CFG_COUNT);
}

/* The words behind dbmate, up to the command's end. */
void
dbmate_flags(void **state)
{
    (void)state;
    static const struct {
        const char *scripts, *dirs, *table, *env;
        bool no_dump, agree;
    } cases[] = {
        {"{\"a\": \"dbmate up\"}", "", "", "", false, true},
        {"{\"a\": \"npx dbmate -d a -d b --no-dump-schema up && echo -d c\"}", "a b", "", "", true,
         true},
        {"{\"a\": \"x=1 ./node_modules/.bin/dbmate --migrations-dir='a b,c' -e URL up\"}", "a b c",
         "", "URL", false, true},
        {"{\"a\": \"wait && dbmate --migrations-table=s.t up; dbmate -s x.sql dump\"}", "", "s.t",
         "", false, true},
        {"{\"a\": \"dbmate -d a up\", \"b\": \"dbmate -d a status\", \"c\": 1}", "a", "", "", false,
         true},
        {"{\"a\": \"dbmate -d a up\", \"b\": \"dbmate -d b up\"}", "", "", "", false, false},
        {"{\"a\": \"dbmate -d a up\", \"b\": \"dbmate up\"}", "", "", "", false, false},
        {"{\"a\": \"dbmate -d $DIR up\"}", "", "", "", false, false},
        {"{\"a\": \"dbmate -d a up\", \"b\": \"dbmate new x\"}", "a", "", "", false, true},
        {"{\"a\": \"dbmate -d a up && dbmate -d b up\"}", "", "", "", false, false},
        {"{\"a\": \"dbmate new up -d\"}", "", "", "", false, true},
        {"{\"a\": \"dbmate -d\"}", "", "", "", false, true},
        {"{\"a\": \"echo my-dbmate -d a\"}", "", "", "", false, true},
        {"[]", "", "", "", false, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ARENA_LOCAL(a);
        DbmateFlags f;
        Buf dirs;
        buf_init(&dirs, a);
        const char *text = str_fmt(a, "{\"name\": \"dbmate\", \"scripts\": %s}", cases[i].scripts);
        if (config_dbmate_scripts(a, str_of(text), &f) != cases[i].agree)
            fail_msg("case %zu", i);
        vec_each (const char *const, dir, &f.dirs)
            buf_fmt(&dirs, "%s%s", dirs.n ? " " : "", *dir);
        assert_string_equal(dirs.n ? dirs.p : "", cases[i].dirs);
        assert_string_equal(f.table ? f.table : "", cases[i].table);
        assert_string_equal(f.env ? f.env : "", cases[i].env);
        assert_int_equal(f.no_dump, cases[i].no_dump);
    }
}

void
package_json(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *schema, *seed;
    int line = 0;
    assert_true(config_package_parse(a,
                                     STR("\xef\xbb\xbf{\"prisma\": {\"schema\": \"db/s.prisma\", "
                                         "\"seed\": \"tsx seed.ts\"}}"),
                                     &schema, &seed, &line));
    assert_string_equal(schema, "db/s.prisma");
    assert_string_equal(seed, "tsx seed.ts");
    const char *without[] = {"{}", "[]", "{\"prisma\": 1}", "{\"prisma\": {\"schema\": [1]}}"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        assert_true(config_package_parse(a, str_of(without[i]), &schema, &seed, &line));
        assert_null(schema);
        assert_null(seed);
    }
    assert_false(config_package_parse(a, STR("{\n\"a\": 1,\n}"), &schema, &seed, &line));
    assert_int_equal(line, 3);
    assert_false(config_package_parse(a, STR(""), &schema, &seed, &line));
}

static void
put_alts(Buf *b, const FileAlts *alts)
{
    const char *bar = "";
    vec_each (FileAlt, alt, alts) {
        buf_fmt(b, "%s%s%s", bar, alt->is_env ? "env:" : "", alt->text ? alt->text : "<");
        for (size_t i = 0; i < alt->part_count; i++) {
            const FilePart *part = &alt->parts[i];
            const char *mark = part->encoded ? "%" : "";
            bool plain = part->alts.n == 1 && !part->encoded;
            buf_fmt(b, "%s%s%s", i ? " " : "", mark, plain ? "" : "<");
            put_alts(b, &part->alts);
            buf_addz(b, plain ? "" : ">");
        }
        buf_addz(b, alt->text ? "" : ">");
        bar = "|";
    }
}

/* A value as text: "literal", "env:X", alternatives with "|", lists in brackets, "computed:what".
 */
static const char *
shown(Arena *a, const FileValue *v, size_t n, const char *key)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(v[i].key, key) != 0)
            continue;
        buf_clear(&b);
        put_alts(&b, &v[i].alts);
        vec_each (const char *, item, &v[i].list)
            buf_fmt(&b, "[%s]", *item);
        if (v[i].computed)
            buf_fmt(&b, "%scomputed:%s", b.n ? "|" : "", v[i].computed);
    }
    return b.p;
}

static const char *
config_value(Arena *a, const char *text, const char *key)
{
    PrismaConfig p = {.path = "prisma.config.ts", .dir = "/proj/.config"};
    config_prisma_parse(a, str_of(text), "/proj", &p);
    return p.has_object ? shown(a, p.values.v, p.values.n, key) : "(no object)";
}

void
prisma_config_shapes(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const good[] = {
        "export default { schema: 's' }",
        "export default { schema: 's' } satisfies PrismaConfig",
        "export default { 'schema': `s`, } as const;",
        "export default defineConfig({ schema: 's' })",
        "export default defineConfig<X<Y>>({ schema: \"s\" });",
        "export default ({ schema: 's' })",
        "module.exports = { schema: 's' }",
        "module.exports = defineConfig({ schema: 's' });",
        "exports.default = { schema: 's' }",
        "const config: PrismaConfig = { schema: 's' }\nexport default config",
        "const config = defineConfig({ schema: 's' }); export default config;",
        "const base = { schema: 's' }\nexport default { ...base }",
        "import 'dotenv/config'\nimport { defineConfig, env } from \"prisma/config\"\n"
        "// export default { schema: 'x' }\n/* export default { schema: 'y' } */\n"
        "type Env = { DATABASE_URL: string }\n"
        "export default defineConfig({ // c\n engine: 'classic', earlyAccess: true,\n"
        "  adapter: async () => { const a = { b: [1, 2] }; return new A(a, `x${a.b}`) },\n"
        "  async other() { return { schema: 'x' } },\n  schema: 's', })",
        "const schema = 's'\nexport default { schema }",
        "export default { get x() { return 1; }, schema: 's' }",
        "export default { [key]: 'x', schema: 's' }",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (strcmp(config_value(a, good[i], "schema"), "s") != 0)
            fail_msg("%s: %s", good[i], config_value(a, good[i], "schema"));
    static const char *const none[] = {
        "",
        "export default () => ({ schema: 's' })",
        "export default async function () {}",
        "export default load",
        "const a = a; export default a",
        "export const x = { schema: 's' }",
        "export default",
        "module.exports",
        "(((((((((((((((((((((((",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_string_equal(config_value(a, none[i], "schema"), "(no object)");
}

void
prisma_config_values(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *expr, *expected;
    } cases[] = {
        {"'a'", "a"},
        {"\"a\\u0041\\x42\\u{43}\\n\\'\"", "aABC\n'"},
        {"`a`", "a"},
        {"env('X')", "env:X"},
        {"env<Env>(\"X\")", "env:X"},
        {"process.env.X", "env:X"},
        {"process.env.X!", "env:X"},
        {"process.env.X as string", "env:X"},
        {"(process.env.X as string)!", "env:X"},
        {"process.env['X']", "env:X"},
        {"process.env?.X", "env:X"},
        {"process?.env?.['X']", "env:X"},
        {"Deno.env.get('X')", "env:X"},
        {"process.env.X ?? 'd'", "env:X|d"},
        {"process.env.X || process.env.Y || \"d\"", "env:X|env:Y|d"},
        {"process.env.X /* c */ // d\n ?? 'd'", "env:X|d"},
        {"'a' + 'b'", "ab"},
        {"path.join('a', \"b\")", "a/b"},
        {"join(__dirname, 'b')", "/proj/.config/b"},
        {"path.join(import.meta.dirname, '..', 'b',)", "/proj/.config/../b"},
        {"path.resolve('b')", "/proj/b"},
        {"path.resolve(process.cwd(), 'b')", "/proj/b"},
        {"path.resolve(__dirname, '../b')", "/proj/.config/../b"},
        {"undefined", ""},
        {"null", ""},
        {"value", "constant"},
        {"['a', 'b',]", "[a][b]"},
        {"[]", ""},
        {"`a${'b'}c`", "abc"},
        {"`postgres://${process.env.U}:${encodeURIComponent(process.env.P ?? 'x')}@h/${env('D')}`",
         "<postgres:// env:U : <%<env:P|x>> @h/ env:D>"},
        {"`a${`b${process.env.X || '}'}`}`", "<a <b <env:X|}>>>"},
        {"'a' + process.env.X + \"c\"", "<a env:X c>"},
        {"process.env.A ?? `p${process.env.X}`", "env:A|<p env:X>"},
        {"MYDB", "env:MYDB"},
        {"renamed", "env:OTHER|d"},
        {"`p${MYDB}`", "<p env:MYDB>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = str_fmt(a,
                                   "const value: string = 'constant'\n"
                                   "const { MYDB, OTHER: renamed = 'd' } = process.env\n"
                                   "export default {\n"
                                   "datasource: { url: %s, directUrl: 'after' } }",
                                   cases[i].expr);
        const char *got = config_value(a, text, "datasource.url");
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].expr, got);
        assert_string_equal(config_value(a, text, "datasource.directUrl"), "after");
    }
    const char *text = "const url = process.env.X\nconst x = 1\nexport default { schema: url,\n"
                       "migrations: { path: 'm', seed: `tsx s.ts` },\n"
                       "tables: { external: ['a.b', 'c.d'] } }";
    assert_string_equal(config_value(a, text, "schema"), "env:X");
    assert_string_equal(config_value(a, text, "migrations.path"), "m");
    assert_string_equal(config_value(a, text, "migrations.seed"), "tsx s.ts");
    assert_string_equal(config_value(a, text, "tables.external"), "[a.b][c.d]");
    PrismaConfig p = {.path = "p", .dir = "/proj"};
    config_prisma_parse(a,
                        STR("process.loadEnvFile('../.env')\nprocess.loadEnvFile()\n"
                            "import dotenv from 'dotenv'\ndotenv.config({ path: '../../.env' "
                            "})\nconfig({ quiet: true, path: "
                            "['.a', '.b'] })\nexport default {}"),
                        "/proj", &p);
    assert_int_equal(p.dotenv_paths.n, 4);
    assert_string_equal(p.dotenv_paths.v[0], "../.env");
    assert_string_equal(p.dotenv_paths.v[1], "../../.env");
    assert_string_equal(p.dotenv_paths.v[3], ".b");
}

void
prisma_config_computed(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *expr, *expected;
    } cases[] = {
        {"getUrl('SECRET')", "computed:getUrl()"},
        {"await getUrl('SECRET')", "computed:await"},
        {"`postgres://u:SECRET@${host}/db`", "computed:host"},
        {"`postgres://u:SECRET@${env('A') + 1 ? 2 : 3}/db`", "computed:an expression"},
        {"`a${}`", "computed:an expression"},
        {"encodeURIComponent(make())", "computed:encodeURIComponent()"},
        {"'postgres://u:SECRET@' + host", "computed:an expression"},
        {"isProd ? 'SECRET' : 'b'", "computed:isProd"},
        {"process.env.X ? process.env.X : 'b'", "computed:an expression"},
        {"process.env.X ?? getUrl()", "env:X|computed:getUrl()"},
        {"unknown", "computed:unknown"},
        {"a.b.c", "computed:c"},
        {"!x", "computed:an expression"},
        {"[a, 'b']", "[b]|computed:an element of the list"},
        {"path.join(base, 'x')", "computed:path.join()"},
        {"new URL('SECRET').href", "computed:new"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = str_fmt(a,
                                   "export default { datasource: { url: %s, directUrl: 'after' "
                                   "} }",
                                   cases[i].expr);
        const char *got = config_value(a, text, "datasource.url");
        if (strcmp(got, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].expr, got);
        assert_string_equal(config_value(a, text, "datasource.directUrl"), "after");
    }
    assert_string_equal(config_value(a, "export default { datasource: make() }", "datasource"),
                        "computed:an expression");
    assert_string_equal(config_value(a,
                                     "export default { datasource: { get url() { return x; } } }",
                                     "datasource.url"),
                        "computed:a function");
    assert_string_equal(
        config_value(a, "export default { datasource: { ...(await x()) } }", "datasource"),
        "computed:\"...\" of something else");
}

void
prisma_config_bounded(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    for (int i = 0; i < 20; i++)
        buf_fmt(&b, "const v%d = [v%d, v%d, v%d, v%d]\nconst o%d = { ...o%d, ...o%d, ...o%d }\n", i,
                i + 1, i + 1, i + 1, i + 1, i, i + 1, i + 1, i + 1);
    buf_addz(&b, "export default { schema: v0, ...o0, datasource: o0 }");
    config_value(a, b.p, "schema");
    buf_clear(&b);
    buf_addz(&b, "export default { schema: ");
    buf_addn(&b, '(', 100000);
    config_value(a, b.p, "schema");
    buf_clear(&b);
    buf_addz(&b, "export default ");
    buf_addn(&b, '{', 100000);
    config_value(a, b.p, "schema");
}

static const char *
schema_value(Arena *a, const char *text, const char *key)
{
    PrismaDatasource d = {0};
    return config_schema_parse(a, str_of(text), &d) ? shown(a, d.values.v, d.values.n, key)
                                                    : "(none)";
}

void
prisma_schema(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *text = "// datasource no { url = \"x\" }\n"
                       "generator client {\n  provider = \"prisma-client-js\"\n}\n"
                       "/// the datasource\r\n"
                       "datasource db {\r\n  provider  = \"postgresql\" // c\r\n"
                       "  url = env(\"DATABASE_URL\")\r\n"
                       "  directUrl=env( \"DIRECT_URL\" )\n  shadowDatabaseUrl = \"a\\\"b\\\\c\"\n"
                       "  extensions = [pgcrypto, x(version: \"1\")]\n"
                       "  relationMode = foo\n"
                       "  schemas = [\"a\", \"b\"]\n}\nmodel datasource2 { id Int @id }\n";
    assert_string_equal(schema_value(a, text, "provider"), "postgresql");
    assert_string_equal(schema_value(a, text, "url"), "env:DATABASE_URL");
    assert_string_equal(schema_value(a, text, "directUrl"), "env:DIRECT_URL");
    assert_string_equal(schema_value(a, text, "shadowDatabaseUrl"), "a\"b\\c");
    assert_string_equal(schema_value(a, text, "schemas"), "[a][b]");
    static const char *const none[] = {
        "",
        "datasource",
        "datasource db",
        "model datasource { }",
        "model M { datasource db { } }",
        "\"datasource db {\"",
        "// datasource db { }",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_string_equal(schema_value(a, none[i], "url"), "(none)");
    /* What Prisma does not read is not read here: it is known that there was something. */
    static const char *const bad[] = {
        "datasource db { url",
        "datasource db {=",
        "datasource db { url = ",
        "datasource db {\n url = env(",
        "datasource db {\n url = [",
        "datasource db {\n url = \"x",
        "datasource db {\n url \"x\"\n}",
        "datasource db { url = \"x\" }",
        "datasource db {\n url = env(\"A\") url2 = 1 ! @ \n}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        PrismaDatasource d = {0};
        assert_true(config_schema_parse(a, str_of(bad[i]), &d));
        const char *url = shown(a, d.values.v, d.values.n, "url");
        if (url[0] && strcmp(url, "(none)") != 0)
            fail_msg("%s: %s", bad[i], url);
        assert_int_equal(d.bad_line, strchr(bad[i], '\n') ? 2 : 1);
    }
    PrismaDatasource good = {0};
    assert_true(config_schema_parse(a, str_of("datasource db { // c\n}"), &good));
    assert_int_equal(good.bad_line, 0);
}
