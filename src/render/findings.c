/* What changes do beside, in words. Those that Prisma has are in its words
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
    for (size_t i = 0; !t->schema && i < COUNT(type_names); i++)
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
list_of_either(Arena *a, const CatTexts *names)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < names->n; i++)
        buf_fmt(&b, "%s%s", i ? "` or `" : "", names->v[i]);
    return b.p;
}

static const char *
count(Arena *a, int64_t n)
{
    return n >= DIFF_ROWS_MAX ? str_fmt(a, "%d or more", DIFF_ROWS_MAX)
                              : str_fmt(a, "%lld", (long long)n);
}

const char *
render_answer(Arena *a, const DiffEffect *n)
{
    static const char *const words[FINDING_COUNT] = {
        [FINDING_DIFF_DROP_COLUMN] = "have a value in it",
        [FINDING_DIFF_RECREATE_COLUMN] = "have a value in it",
        [FINDING_DIFF_SCALAR_TO_LIST] = "have a value in it",
        [FINDING_DIFF_RISKY_CAST] = "do not fit the new type",
        [FINDING_DIFF_MADE_REQUIRED] = "have NULL",
        [FINDING_DIFF_UNIQUE] = "share their values with another row",
        [FINDING_DIFF_FOREIGN_KEY_ROWS] = "refer to nothing",
        [FINDING_DIFF_CHECK_ROWS] = "violate it",
    };
    if (n->id == FINDING_DIFF_ENUM_VALUES_REMOVED)
        return n->hits == 1 ? "One row uses them."
               : n->hits    ? str_fmt(a, "%s rows use them.", count(a, n->hits))
                            : "No row uses them.";
    if (!n->rows)
        return "The table is empty.";
    if (n->id == FINDING_DIFF_TIME_ZONE)
        return str_fmt(a, "The server's TimeZone is %s: %s of %s rows move.", n->zone,
                       count(a, n->hits), count(a, n->rows));
    if (!words[n->id])
        return n->rows == 1 ? "It has one row." : str_fmt(a, "It has %s rows.", count(a, n->rows));
    return str_fmt(a, "%s of %s rows %s.", count(a, n->hits), count(a, n->rows), words[n->id]);
}

/* {table}, {column}, {from}, {to}, {names}, {object}, {new}: see word. */
static const char *const sentences[FINDING_COUNT] = {
    [FINDING_DIFF_DROP_TABLE] =
        "You are about to drop the `{table}` table. If the table is not empty, all "
        "the data it contains will be lost.",
    [FINDING_DIFF_DROP_COLUMN] =
        "You are about to drop the column `{column}` on the `{table}` table. All "
        "the data in the column will be lost.",
    [FINDING_DIFF_RISKY_CAST] =
        "You are about to alter the column `{column}` on the `{table}` table. The "
        "data in that column could be lost. The data in that column will be cast "
        "from `{from}` to `{to}`.",
    [FINDING_DIFF_DROP_PRIMARY_KEY] =
        "The primary key for the `{table}` table will be changed. If it "
        "partially fails, the table could be left without primary key "
        "constraint.",
    [FINDING_DIFF_RECREATE_COLUMN] =
        "The `{column}` column on the `{table}` table would be dropped and "
        "recreated. This will lead to data loss if there is data in the "
        "column.",
    [FINDING_DIFF_UNIQUE] =
        "A unique constraint covering the columns `[{names}]` on the table `{table}` "
        "will be added. If there are existing duplicate values, this will fail.",
    [FINDING_DIFF_ENUM_VALUES_REMOVED] =
        "The values [{names}] on the enum `{table}` will be removed. If "
        "these variants are still used in the database, this will fail.",
    [FINDING_DIFF_ADD_REQUIRED] =
        "Added the required column `{column}` to the `{table}` table without a "
        "default value. This is not possible if the table is not empty.",
    [FINDING_DIFF_ADD_REQUIRED_CLIENT] =
        "The required column `{column}` was added to the `{table}` table "
        "with a prisma-level default value. This is not possible if the "
        "table is not empty. Please add this column as optional, then "
        "populate it before making it required.",
    [FINDING_DIFF_MADE_REQUIRED] =
        "Made the column `{column}` on table `{table}` required. This step will "
        "fail if there are existing NULL values in that column.",
    [FINDING_DIFF_RECREATE_REQUIRED] =
        "Changed the type of `{column}` on the `{table}` table. No cast "
        "exists, the column would be dropped and recreated, which cannot be "
        "done if there is data, since the column is required.",
    [FINDING_DIFF_SCALAR_TO_LIST] =
        "Changed the column `{column}` on the `{table}` table from a scalar "
        "field to a list field. If there are non-null values in that column, "
        "this step will fail.",
    [FINDING_DIFF_FOREIGN_KEY_ROWS] =
        "The foreign key `{column}` on the `{table}` table will be checked. "
        "If rows refer to nothing, this will fail.",
    [FINDING_DIFF_CHECK_ROWS] =
        "The constraint `{column}` on the `{table}` table will be checked. If "
        "existing rows violate it, this will fail.",
    [FINDING_DIFF_REWRITE] = "The `{table}` table is rewritten to change the type of the column "
                             "`{column}`. Nobody can read or write it meanwhile.",
    [FINDING_DIFF_TIME_ZONE] = "The values of the column `{column}` on the `{table}` table are "
                               "converted by the TimeZone of "
                               "the session that runs this. Prisma Client writes UTC: then begin "
                               "the script with SET LOCAL "
                               "timezone = 'UTC', or write USING \"{column}\" AT TIME ZONE 'UTC'.",
    [FINDING_DIFF_ENUM_COMMIT] =
        "The values [{names}] are added to the enum `{table}`. They can be used "
        "only after a commit.",
    [FINDING_DIFF_DROP_DATA] = "You are about to drop the {object}. What it holds will be lost.",
    [FINDING_DIFF_CASCADES] =
        "The {object} is dropped and made again, because it uses what changes.",
    [FINDING_DIFF_GOES_TOO] = "The {object} goes, too: it stands on what is dropped.",
    [FINDING_DIFF_STILL_USED] =
        "The {object} uses what is dropped, and PostgreSQL refuses to drop that.",
    [FINDING_DIFF_STANDS_ON] =
        "The {object} is dropped, and PostgreSQL refuses that: {names} use it.",
    [FINDING_DIFF_IMPOSSIBLE] = "PostgreSQL refuses to change the {object} so: {names}.",
    [FINDING_DIFF_USED_OUTSIDE] =
        "The {object} cannot change so: the {dependent} uses it, which is not compared.",
    [FINDING_DIFF_LOOKS_RENAMED] = "The {object} goes and `{new}` comes: this looks like a rename.",
};

const char *
render_dependent(Arena *a, const CatDependent *user)
{
    if (user->extension)
        return str_fmt(a, "%s %s of the extension \"%s\"", user->what, user->name, user->extension);
    return str_fmt(a, "%s %s", user->what, user->name);
}

static const char *
word(Arena *a, const DiffEffect *n, Str name)
{
    return str_is(name, "table")       ? n->at.name
           : str_is(name, "column")    ? n->at.sub
           : str_is(name, "from")      ? type_name(a, n->from_type)
           : str_is(name, "to")        ? type_name(a, n->to_type)
           : str_is(name, "names")     ? list(a, &n->names)
           : str_is(name, "object")    ? cat_ref_text(a, &n->at)
           : str_is(name, "dependent") ? render_dependent(a, n->dependent)
                                       : list_of_either(a, &n->names);
}

static const char *
sentence(Arena *a, const DiffEffect *n)
{
    Buf b;
    buf_init(&b, a);
    for (const char *p = sentences[n->id]; *p; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;
        if (!end) {
            buf_addc(&b, *p);
            continue;
        }
        buf_addz(&b, word(a, n, (Str){p + 1, (size_t)(end - p - 1)}));
        p = end;
    }
    return b.p;
}

const char *
render_effect(Arena *a, const DiffEffect *n)
{
    if (n->is_answered)
        return str_fmt(a, "%s %s", sentence(a, n), render_answer(a, n));
    return sentence(a, n);
}

void
render_findings(Arena *a, const Diff *d, FindingList *ret)
{
    for (DiffHarm harm = DIFF_LOSS; harm <= DIFF_HARMLESS; harm++)
        vec_each (Change *, c, &d->changes)
            vec_each (const DiffEffect, n, &(*c)->effects)
                if (n->harm == harm) {
                    Finding *f =
                        finding_addz(ret, n->id, harm == DIFF_HARMLESS ? SEV_NOTICE : SEV_WARNING,
                                     render_effect(a, n));
                    f->object = cat_ref_text(a, &n->at);
                    if (n->dependent)
                        f->fix = n->dependent->remedy;
                }
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
add_effects(Arena *a, Buf *b, const Diff *d, bool fails, FindingId max)
{
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, n, &(*c)->effects)
            if ((n->harm == DIFF_FAILS) == fails && n->id <= max) {
                buf_addz(b, "  - ");
                add_comment(b, render_effect(a, n));
                buf_addc(b, '\n');
            }
}

Str
render_warnings(Arena *a, const Diff *d, bool all)
{
    Buf b;
    buf_init(&b, a);
    FindingId max = all ? FINDING_COUNT : FINDING_DIFF_SCALAR_TO_LIST;
    buf_addz(&b, "/*\n  Warnings:\n\n");
    size_t head = b.n;
    add_effects(a, &b, d, false, max);
    add_effects(a, &b, d, true, max);
    if (b.n == head)
        return STR("");
    buf_addz(&b, "\n*/\n");
    return buf_str(&b);
}
