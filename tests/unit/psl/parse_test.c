/* Lexer, parser and tree. */
#include "same.h"

#include "psl/lex.h"
#include "base/mem_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

/* A parsed text with all that belongs to it. */
typedef struct Parsed {
    Source source;
    FindingList diags;
    PslSchema *schema;
} Parsed;

static Parsed *
parse(Arena *a, Str text)
{
    Parsed *p = arena_new(a, Parsed);
    p->source = (Source){"schema.prisma", text};
    findings_init(&p->diags, a, NULL);
    p->schema = psl_parse(a, &p->source, 1, &p->diags);
    assert_null(tree_check(p->schema));
    findings_sort(&p->diags);
    return p;
}

static const PslDecl *
first(const Parsed *p)
{
    assert_true(p->schema->ndecls > 0);
    return p->schema->decls[0];
}

/* The field `x` of the text wrapped into a model. */
static const PslField *
field(Arena *a, const char *line)
{
    Parsed *p = parse(a, str_of(str_fmt(a, "model A {\n  %s\n}\n", line)));
    if (p->diags.counts[SEV_ERROR])
        fail_msg("%s: %s", line, p->diags.items.v[0].text);
    assert_int_equal(first(p)->fields.n, 1);
    return &first(p)->fields.v[0];
}

static const PslExpr *
value(Arena *a, const char *text)
{
    const PslField *f = field(a, str_fmt(a, "x Int @a(%s)", text));
    assert_int_equal(f->attrs.v[0].args.n, 1);
    return &f->attrs.v[0].args.v[0].value;
}

static void
assert_str(Str actual, const char *expected)
{
    if (!str_is(actual, expected))
        fail_msg("\"%.*s\" instead of \"%s\"", STR_ARG(actual), expected);
}

/* The ids of all diagnostics with their lines: "3 syntax-line, ...". */
static const char *
problems(Arena *a, Str text)
{
    Parsed *p = parse(a, text);
    Buf b;
    buf_init(&b, a);
    vec_each (const Finding, d, &p->diags.items) {
        int line, column;
        str_line_col(text, d->off, &line, &column);
        buf_fmt(&b, "%s%d:%d %s", b.n ? ", " : "", line, column, finding_info(d->id)->name);
    }
    return b.p;
}

static void
blocks_and_their_parts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Parsed *p = parse(a, STR("datasource db {\n"
                             "  provider = \"postgresql\" // ours\n"
                             "  url =\n"
                             "}\n"
                             "generator client {\n}\n"
                             "/// People\n"
                             "/// of all kinds\n"
                             "model User {\n"
                             "  id Int @id\n"
                             "\n"
                             "  // plain\n"
                             "  /// The name.\n"
                             "  name String? @db.VarChar(200) /// Shown.\n"
                             "  @@map(\"users\") // table\n"
                             "}\n"
                             "view V {\n  a Int[]\n}\n"
                             "type T {\n  a Unsupported( \"b\\\"c\" )?\n}\n"
                             "enum E {\n  A @map(\"a\")\n  B\n}\n"));
    assert_int_equal(p->schema->ndecls, 6);
    assert_int_equal(p->diags.items.n, 0);
    const PslDecl *db = psl_decl(p->schema, PSL_DATASOURCE, STR("db"));
    assert_int_equal(db->props.n, 2);
    assert_str(psl_prop(db, "provider")->value.text, "postgresql");
    assert_str(psl_text(db->file, psl_prop(db, "provider")->comment), "// ours");
    assert_int_equal(psl_prop(db, "url")->value.kind, PSL_MISSING);
    assert_null(psl_prop(db, "nope"));

    const PslDecl *user = psl_decl(p->schema, PSL_MODEL, (Str){"", 0});
    assert_str(user->name, "User");
    assert_str(user->doc, "People\nof all kinds");
    assert_int_equal(user->fields.n, 2);
    assert_int_equal(user->items.n, 6);
    const PslField *name = psl_field(user, STR("name"));
    assert_ptr_equal(name->parent, user);
    assert_str(name->doc, "The name.\nShown.");
    assert_int_equal(name->type.arity, PSL_OPTIONAL);
    assert_str(psl_text(user->file, name->span), "name String? @db.VarChar(200)");
    assert_str(psl_arg_value(psl_attr(name->attrs, "db.VarChar")->args, "x", 0)->text, "200");
    const PslAttr *map = psl_attr(user->attrs, "map");
    assert_str(psl_arg_value(map->args, "name", 0)->text, "users");
    assert_str(psl_text(user->file, map->span), "@@map(\"users\")");
    assert_str(psl_text(user->file, map->comment), "// table");
    assert_null(psl_attr(user->attrs, "id"));

    const PslType *type = &psl_decl(p->schema, PSL_TYPE, STR("T"))->fields.v[0].type;
    assert_true(type->is_unsupported);
    assert_str(type->name, "b\"c");
    const PslDecl *e = psl_decl(p->schema, PSL_ENUM, STR("E"));
    assert_int_equal(e->values.n, 2);
    assert_str(e->values.v[0].name, "A");
    assert_int_equal(e->values.v[0].attrs.n, 1);
    assert_str(e->values.v[1].name, "B");
    assert_null(psl_decl(p->schema, PSL_ENUM, STR("F")));
}

static void
expressions(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text;
        PslExprKind kind;
        const char *value;
    } table[] = {
        {"\"a b\"", PSL_STRING, "a b"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", PSL_STRING, "\"\\/\b\f\n\r\t"},
        {"\"\\u00e9\\ud83d\\ude00\"", PSL_STRING, "\xc3\xa9\xf0\x9f\x98\x80"},
        {"\"// no comment\"", PSL_STRING, "// no comment"},
        {"1", PSL_NUMBER, "1"},
        {"-12.50", PSL_NUMBER, "-12.50"},
        {"true", PSL_CONSTANT, "true"},
        {"db.x.", PSL_CONSTANT, "db.x."},
        {"now()", PSL_FUNCTION, "now"},
        {"a.b ( )", PSL_FUNCTION, "a.b"},
        {"5(1)", PSL_FUNCTION, "5"},
        {"[ ]", PSL_ARRAY, ""},
        {"{}", PSL_OBJECT, ""},
        {"n:", PSL_MISSING, ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const PslExpr *x = value(a, table[i].text);
        assert_int_equal(x->kind, table[i].kind);
        assert_str(x->text, table[i].value);
    }
    const PslExpr *x = value(a, "w: { a: { not: null }, b: [f(1, z: \"q\"), c.d] }");
    assert_int_equal(x->args.n, 2);
    assert_str(x->args.v[0].value.args.v[0].name, "not");
    const PslExpr *call = &x->args.v[1].value.args.v[0].value;
    assert_str(psl_arg_value(call->args, NULL, 0)->text, "1");
    assert_str(psl_arg_value(call->args, "z", -1)->text, "q");
    assert_null(psl_arg_value(call->args, "y", 1));
    const PslField *f = field(a, "x Int @a(1, )");
    assert_int_equal(f->attrs.v[0].trailing_comma, 12 + 10);
    assert_int_equal(f->attrs.v[0].args.n, 1);
    assert_int_equal(f->attrs.v[0].parens.len, 5);
}

static void
names_as_prisma_reads_them(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Parsed *p = parse(a, STR("modelA {\n"
                             "  Größe Int\n"
                             "  日本 Int\xe2\x80\x83@id\n" /* U+2003 is white space */
                             "  0-a_ Int\n"
                             "  model Int\n"
                             "}\n"
                             "model model {\n}\n"));
    assert_int_equal(p->diags.counts[SEV_ERROR], 0);
    assert_str(first(p)->name, "A");
    assert_int_equal(first(p)->fields.n, 4);
    assert_int_equal(first(p)->fields.v[1].attrs.n, 1);
    assert_str(p->schema->decls[1]->name, "model");
    static const char *const wrong[] = {"_a Int", "a$ Int", "e\xcc\x81 Int", "\xf0\x9f\x98\x80 Int",
                                        "\xc2\xb2 Int"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(problems(a, str_of(str_fmt(a, "model A {\n%s\n}\n", wrong[i])))[0], '2');
}

static void
comments_everywhere(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Parsed *p = parse(a, STR("// free\n"
                             "\n"
                             "/* doc\n"
                             " * of A */\n"
                             "model A { /// more\n"
                             "  /* one */ a Int /* two */\n"
                             "  /// lost to the attribute\n"
                             "  @@index([a])\n"
                             "  b Int\n"
                             "} // end\n"
                             "model B { /* also */\n}\n"));
    assert_int_equal(p->diags.items.n, 0);
    const PslDecl *decl = first(p);
    assert_str(decl->doc, "doc\nof A\nmore");
    assert_str(decl->fields.v[0].doc, "one\ntwo");
    assert_str(decl->fields.v[1].doc, "");
    assert_str(psl_text(decl->file, decl->after_brace), "/// more");
    assert_str(p->schema->decls[1]->doc, "also");
    assert_int_equal(p->schema->files[0].items.n, 6);
}

/* Text in the grammar's way: where the error is, and that the parser goes on behind it. */
static void
errors_have_places(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *problems;
    } table[] = {
        {"", ""},
        {"\n\r\n // x", ""},
        {"model A {\n  a\n}\n", "2:3 syntax-missing-type"},
        {"model A {\n  a: Int\n  b Int!\n  c [Int]\n}\n",
         "2:4 syntax-legacy-colon, 3:5 syntax-legacy-required, 4:5 syntax-legacy-list"},
        {"model A {\n  a Int[]?\n}\n", "2:5 syntax-optional-list"},
        {"type A = Int\n", "1:1 syntax-type-alias"},
        {"model A {\n  a Int @x('y')\n  b Int\n}\n", "2:12 syntax-line"},
        {"model A {\n  a Int @x([1,])\n}\n", "2:15 syntax-line"},
        {"model A {\n  a Int @x(\n}\n", "2:12 syntax-line"},
        {"model A {\n  a Int b\n}\n", "2:9 syntax-line"},
        {"model A {\n  @id\n}\n", "2:3 syntax-line"},
        {"model A {\n  a \"x\n}\n", "2:5 syntax-line"},
        {"model A {\n  a Int @x(\"\\q\")\n}\n", "2:13 syntax-escape"},
        {"model A {\n  a Int @x(\"\\ud800\")\n}\n", "2:13 syntax-escape"},
        {"model A {\n  a Int /* x */ // y\n}\n", "2:17 syntax-line"},
        {"enum A {\n  B C\n}\n", "2:5 syntax-line"},
        {"generator a {\n  b\n  c = d e\n}\n", "2:4 syntax-line, 3:9 syntax-line"},
        {"model A {\n  a Int\nmodel B {\n}\n", "3:1 syntax-unclosed"},
        {"model A {\n  a Int\n", "1:1 syntax-unclosed"},
        {"model A {", "1:1 syntax-unclosed"},
        {"model A { a Int }\n", "1:1 syntax-unclosed, 1:11 syntax-ignored-text"},
        {"model A\n{\n  a Int\n}\n", "1:1 syntax-brace"},
        {"model {\n  a Int\n}\nenum B {\n}\n", "1:1 syntax-block-head"},
        {"mdel A {\n  a Int\n}\n", "1:1 syntax-unknown-block"},
        {"hello\n}\n", "1:1 syntax-top-level, 2:1 syntax-top-level"},
        {"\xef\xbb\xbfmodel A {\n}\n", "1:1 syntax-bom"},
        {"// \xff\n", "1:4 syntax-encoding"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *actual = problems(a, str_of(table[i].text));
        if (strcmp(actual, table[i].problems) != 0)
            fail_msg("%s\n%s instead of %s", table[i].text, actual, table[i].problems);
    }
}

static void
errors_say_what_to_do(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Parsed *p = parse(a, STR("modle A {\n}\nmodel B {\n  a Int @x('y')\n}\n"));
    assert_string_equal(p->diags.items.v[0].fix, "did you mean `model`?");
    assert_string_equal(p->diags.items.v[1].text,
                        "this line is no field and no attribute: expected an argument or `)`, "
                        "found `'`");
    assert_string_equal(p->diags.items.v[1].fix, "strings are written in double quotes");
    assert_string_equal(psl_decl_word(PSL_TYPE), "composite type");
    assert_string_equal(psl_expr_word(PSL_FUNCTION), "function call");
}

static void
several_files_are_one_schema(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Source files[] = {
        {"a.prisma", STR("model A {\n  x\n}\n")},
        {"b.prisma", STR("")},
        {"c.prisma", STR("model C {\n}\n  junk\n")},
    };
    FindingList diags;
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, files, 3, &diags);
    assert_null(tree_check(schema));
    assert_int_equal(schema->nfiles, 3);
    assert_int_equal(schema->ndecls, 2);
    assert_ptr_equal(schema->decls[1]->file, &schema->files[2]);
    assert_int_equal(schema->errors, 2);
    assert_int_equal(schema->files[0].errors, 1);
    assert_ptr_equal(diags.items.v[1].source, &files[2]);
    assert_int_equal(psl_parse(a, NULL, 0, &diags)->ndecls, 0);
    assert_int_equal(psl_span_of(&schema->files[0], STR("elsewhere")).len, 0);
}

/* Sizes and shapes that break careless parsers: each ends soon and names a place. */
static void
hostile_texts(void **state)
{
    (void)state;
    static const struct {
        const char *before, *repeated, *after;
        size_t times;
    } table[] = {
        {"", "a", "", 5000000},
        {"model A {\n  a Int @x(", "[", "\n}\n", 100000},
        {"model A {\n  a Int @x(", "f(", "\n}\n", 100000},
        {"model A {\n", "  a Int\n", "}\n", 10000},
        {"", "x /*\n", "", 100000},
        {"model A {\n", "  a Int /*\n", " */ junk\n}\n", 100000},
        {"", "foo {\n", "", 100000},
        {"", "model A {\n", "", 50000},
        {"", "model A\n", "", 100000},
        {"", "\r", "", 1000000},
        {"", "}", "", 200000},
        {"", "\"", "", 200000},
        {"", "\xff", "", 200000},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ARENA_LOCAL(a);
        Buf b;
        buf_init(&b, a);
        buf_addz(&b, table[i].before);
        for (size_t k = 0; k < table[i].times; k++)
            buf_addz(&b, table[i].repeated);
        buf_addz(&b, table[i].after);
        const char *problem = tree_check_text(buf_str(&b), true);
        if (problem)
            fail_msg("case %zu: %s", i, problem);
    }
    ARENA_LOCAL(a);
    assert_null(tree_check_text((Str){"model A {\n \0 a Int\n}\0", 22}, true));
    Str nested =
        str_of(str_fmt(a, "model A {\n  a Int @x(%s1%s)\n}\n",
                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
    assert_string_equal(problems(a, nested), "2:76 syntax-line");
}

static void
memory_is_bounded(void **state)
{
    (void)state;
    ARENA_LOCAL(texts);
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, texts);
    for (int i = 0; i < 2000; i++)
        buf_fmt(&b,
                "model M%d {\n  id Int @id @default(autoincrement())\n  name String\n"
                "  other M%d? @relation(\"x\", fields: [name], references: [id])\n\n"
                "  /// about\n  x DateTime @db.Timestamptz(6) // y\n  @@map(\"m\")\n}\n",
                i, i);
    parse(a, buf_str(&b));
    assert_true(arena_bytes(a) < 20 * b.n);
}

static void
errors_are_limited_but_counted(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    for (int i = 0; i < 5000; i++)
        buf_addz(&b, "junk\n");
    Parsed *p = parse(a, buf_str(&b));
    assert_int_equal(p->schema->errors, 5000);
    assert_int_equal(p->diags.counts[SEV_ERROR], 5000);
    assert_int_equal(p->diags.items.n, 1000);
}

static void
widths_on_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(lex_columns(STR("abc")), 3);
    assert_int_equal(lex_columns(STR("日本é")), 5);
    assert_int_equal(lex_columns(STR("e\xcc\x81")), 1);
    assert_int_equal(lex_columns(STR("\xff")), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_and_their_parts),
        cmocka_unit_test(expressions),
        cmocka_unit_test(names_as_prisma_reads_them),
        cmocka_unit_test(comments_everywhere),
        cmocka_unit_test(errors_have_places),
        cmocka_unit_test(errors_say_what_to_do),
        cmocka_unit_test(several_files_are_one_schema),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(errors_are_limited_but_counted),
        cmocka_unit_test(widths_on_a_terminal),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
