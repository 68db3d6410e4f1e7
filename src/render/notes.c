/* Notes in words. Those that Prisma has are in its words
 * (sql_destructive_change_checker/{warning_check,unexecutable_step_check}.rs). */
#include "render/render_int.h"

static const char *const type_names[][2] = {
    {"int2", "SmallInt"},
    {"int4", "Integer"},
    {"int8", "BigInt"},
    {"numeric", "Decimal"},
    {"money", "Money"},
    {"inet", "Inet"},
    {"oid", "Oid"},
    {"citext", "Citext"},
    {"float4", "Real"},
    {"float8", "DoublePrecision"},
    {"varchar", "VarChar"},
    {"bpchar", "Char"},
    {"text", "Text"},
    {"bytea", "ByteA"},
    {"timestamp", "Timestamp"},
    {"timestamptz", "Timestamptz"},
    {"date", "Date"},
    {"time", "Time"},
    {"timetz", "Timetz"},
    {"bool", "Boolean"},
    {"bit", "Bit"},
    {"varbit", "VarBit"},
    {"uuid", "Uuid"},
    {"xml", "Xml"},
    {"json", "Json"},
    {"jsonb", "JsonB"},
};

static const char *
type_name(Arena *a, const CatType *t)
{
    for (size_t i = 0; !t->schema && i < sizeof type_names / sizeof *type_names; i++)
        if (strcmp(type_names[i][0], t->name) == 0)
            return t->args ? str_fmt(a, "%s(%s)", type_names[i][1], t->args) : type_names[i][1];
    return t->text;
}

static const char *
list(Arena *a, const CatTexts *names)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < names->n; i++)
        buf_fmt(&b, "%s%s", i ? "," : "", names->v[i]);
    return b.p;
}

static const char *
count(Arena *a, int64_t n)
{
    return n >= DIFF_ROWS_MAX ? str_fmt(a, "%d or more", DIFF_ROWS_MAX)
                              : str_fmt(a, "%lld", (long long)n);
}

/* What the rows of a database say. */
static const char *
answer(Arena *a, const DiffNote *n)
{
    static const char *const words[NOTE_KIND_COUNT] = {
        [NOTE_DROP_COLUMN] = "have a value in it",
        [NOTE_RECREATE_COLUMN] = "have a value in it",
        [NOTE_SCALAR_TO_LIST] = "have a value in it",
        [NOTE_RISKY_CAST] = "do not fit the new type",
        [NOTE_MADE_REQUIRED] = "have NULL",
        [NOTE_UNIQUE] = "share their values with another row",
        [NOTE_FOREIGN_KEY_ROWS] = "refer to nothing",
        [NOTE_CHECK_ROWS] = "violate it",
    };
    if (n->kind == NOTE_ENUM_VALUES_REMOVED)
        return n->hits == 1 ? "One row uses them."
               : n->hits    ? str_fmt(a, "%s rows use them.", count(a, n->hits))
                            : "No row uses them.";
    if (!n->rows)
        return "The table is empty.";
    if (!words[n->kind])
        return n->rows == 1 ? "It has one row." : str_fmt(a, "It has %s rows.", count(a, n->rows));
    return str_fmt(a, "%s of %s rows %s.", count(a, n->hits), count(a, n->rows), words[n->kind]);
}

static const char *sentence(Arena *a, const DiffNote *n);

const char *
render_note(Arena *a, const DiffNote *n)
{
    if (n->is_answered)
        return str_fmt(a, "%s %s", sentence(a, n), answer(a, n));
    return sentence(a, n);
}

static const char *
sentence(Arena *a, const DiffNote *n)
{
    const char *table = n->at.name, *column = n->at.sub;
    switch (n->kind) {
    case NOTE_DROP_TABLE:
        return str_fmt(a,
                       "You are about to drop the `%s` table. If the table is not empty, all the "
                       "data it contains will be lost.",
                       table);
    case NOTE_DROP_COLUMN:
        return str_fmt(a,
                       "You are about to drop the column `%s` on the `%s` table. All the data in "
                       "the column will be lost.",
                       column, table);
    case NOTE_RISKY_CAST:
        return str_fmt(a,
                       "You are about to alter the column `%s` on the `%s` table. The data in that "
                       "column could be lost. The data in that column will be cast from `%s` to "
                       "`%s`.",
                       column, table, type_name(a, n->from_type), type_name(a, n->to_type));
    case NOTE_DROP_PRIMARY_KEY:
        return str_fmt(a,
                       "The primary key for the `%s` table will be changed. If it partially fails, "
                       "the table could be left without primary key constraint.",
                       table);
    case NOTE_RECREATE_COLUMN:
        return str_fmt(
            a,
            "The `%s` column on the `%s` table would be dropped and recreated. This will "
            "lead to data loss if there is data in the column.",
            column, table);
    case NOTE_UNIQUE:
        return str_fmt(a,
                       "A unique constraint covering the columns `[%s]` on the table `%s` will be "
                       "added. If there are existing duplicate values, this will fail.",
                       list(a, &n->names), table);
    case NOTE_ENUM_VALUES_REMOVED:
        return str_fmt(a,
                       "The values [%s] on the enum `%s` will be removed. If these variants are "
                       "still used in the database, this will fail.",
                       list(a, &n->names), table);
    case NOTE_ADD_REQUIRED:
        return str_fmt(a,
                       "Added the required column `%s` to the `%s` table without a default value. "
                       "This is not possible if the table is not empty.",
                       column, table);
    case NOTE_ADD_REQUIRED_CLIENT:
        return str_fmt(a,
                       "The required column `%s` was added to the `%s` table with a prisma-level "
                       "default value. This is not possible if the table is not empty. Please add "
                       "this column as optional, then populate it before making it required.",
                       column, table);
    case NOTE_MADE_REQUIRED:
        return str_fmt(a,
                       "Made the column `%s` on table `%s` required. This step will fail if there "
                       "are existing NULL values in that column.",
                       column, table);
    case NOTE_RECREATE_REQUIRED:
        return str_fmt(
            a,
            "Changed the type of `%s` on the `%s` table. No cast exists, the column would "
            "be dropped and recreated, which cannot be done if there is data, since the "
            "column is required.",
            column, table);
    case NOTE_SCALAR_TO_LIST:
        return str_fmt(a,
                       "Changed the column `%s` on the `%s` table from a scalar field to a list "
                       "field. If there are non-null values in that column, this step will fail.",
                       column, table);
    case NOTE_FOREIGN_KEY_ROWS:
        return str_fmt(a,
                       "The foreign key `%s` on the `%s` table will be checked. If rows refer to "
                       "nothing, this will fail.",
                       column, table);
    case NOTE_CHECK_ROWS:
        return str_fmt(a,
                       "The constraint `%s` on the `%s` table will be checked. If existing rows "
                       "violate it, this will fail.",
                       column, table);
    case NOTE_REWRITE:
        return str_fmt(a,
                       "The `%s` table is rewritten to change the type of the column `%s`. Nobody "
                       "can read or write it meanwhile.",
                       table, column);
    case NOTE_ENUM_COMMIT:
        return str_fmt(a,
                       "The values [%s] are added to the enum `%s`. They can be used only after a "
                       "commit.",
                       list(a, &n->names), table);
    case NOTE_DROP_DATA:
        return str_fmt(a, "You are about to drop the %s. What it holds will be lost.",
                       cat_ref_text(a, &n->at));
    case NOTE_CASCADES:
        return str_fmt(a, "The %s is dropped and made again, because it uses what changes.",
                       cat_ref_text(a, &n->at));
    case NOTE_LOOKS_RENAMED:
        return str_fmt(a, "The %s goes and `%s` comes: this looks like a rename.",
                       cat_ref_text(a, &n->at), n->new_name);
    case NOTE_KIND_COUNT:
        break;
    }
    return "";
}

/* Names must neither end the comment nor begin another in it: the rest is SQL that people run. */
static void
add_comment(Buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        buf_addc(b, *p);
        if ((p[0] == '*' && p[1] == '/') || (p[0] == '/' && p[1] == '*'))
            buf_addc(b, ' ');
    }
}

static void
add_notes(Arena *a, Buf *b, const Diff *d, bool fails, DiffNoteKind max)
{
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffNote, n, &(*c)->notes)
            if ((n->severity == DIFF_FAILS) == fails && n->kind <= max) {
                buf_addz(b, "  - ");
                add_comment(b, render_note(a, n));
                buf_addc(b, '\n');
            }
}

Str
render_warnings(Arena *a, const Diff *d, bool all)
{
    Buf b;
    buf_init(&b, a);
    DiffNoteKind max = all ? NOTE_KIND_COUNT : NOTE_SCALAR_TO_LIST;
    buf_addz(&b, "/*\n  Warnings:\n\n");
    size_t head = b.n;
    add_notes(a, &b, d, false, max);
    add_notes(a, &b, d, true, max);
    if (b.n == head)
        return STR("");
    buf_addz(&b, "\n*/\n");
    return buf_str(&b);
}
