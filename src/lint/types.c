/* Which changes of a column's type keep its rows: measured on 15 and 18, which agree; the rule is
 * ATColumnChangeRequiresRewrite() in src/backend/commands/tablecmds.c with the casts of pg_cast that need no
 * function, and the support functions that leave out a change of length. */
#include "lint/lint_int.h"

#include <limits.h>
#include <string.h>

/* Where the one becomes the other without a function. An index on the column is built anew where its
 * operators are of another family. */
static const struct {
    const char *was, *now;
    LintChange change;
} coercible[] = {
    {"varchar", "text", LINT_KEEPS},
    {"text", "varchar", LINT_KEEPS},
    {"cidr", "inet", LINT_KEEPS},
    {"timestamp", "timestamptz", LINT_REBUILDS},
    {"timestamptz", "timestamp", LINT_REBUILDS},
    {"text", "citext", LINT_REBUILDS},
    {"citext", "text", LINT_REBUILDS},
    {"varchar", "citext", LINT_REBUILDS},
    {"citext", "varchar", LINT_REBUILDS},
    {"int4", "oid", LINT_REBUILDS},
    {"oid", "int4", LINT_REBUILDS},
    {"xml", "text", LINT_KEEPS},
    {"regclass", "oid", LINT_KEEPS},
    {"bit", "varbit", LINT_REBUILDS},
    {"varbit", "bit", LINT_REBUILDS},
};

/* The first and second argument; -1 = none. */
static void
arguments(const CatType *t, long long *ret_first, long long *ret_second)
{
    Str rest = str_of(t->args);
    *ret_first = *ret_second = -1;
    if (!t->args || !str_to_int(str_trim(str_cut(&rest, ',')), 0, INT_MAX, ret_first)) {
        *ret_first = -1;
        return;
    }
    *ret_second = 0;
    if (rest.p && !str_to_int(str_trim(rest), INT_MIN, INT_MAX, ret_second))
        *ret_second = 0;
}

/* Whether values keep their form when only the length changes. */
static bool
length_keeps(const CatType *was, const CatType *now)
{
    static const char *const growing[] = {"varchar",   "varbit",      "time",    "timetz",
                                          "timestamp", "timestamptz", "interval"};
    long long p, s, q, r;
    arguments(was, &p, &s);
    arguments(now, &q, &r);
    if (strcmp(now->name, "numeric") == 0)
        return q < 0 || (p >= 0 && q >= p && r == s);
    /* The finest these have is the sixth digit. */
    bool is_time = strncmp(now->name, "time", 4) == 0 || strcmp(now->name, "interval") == 0;
    if (is_time && now->args && q < 0)
        return false; /* fields of an interval */
    for (size_t i = 0; i < COUNT(growing); i++)
        if (strcmp(now->name, growing[i]) == 0)
            return q < 0 || (is_time && q >= 6) || (p >= 0 && q >= p);
    return false;
}

LintChange
lint_type_change(const CatType *was, const CatType *now, bool has_using)
{
    if (has_using)
        return LINT_REWRITES;
    if (strcmp(was->text, now->text) == 0)
        return LINT_KEEPS;
    if (was->schema || now->schema || was->is_array || now->is_array)
        return LINT_REWRITES;
    if (strcmp(was->name, now->name) == 0)
        return length_keeps(was, now) ? LINT_KEEPS : LINT_REWRITES;
    for (size_t i = 0; i < COUNT(coercible); i++)
        if (strcmp(coercible[i].was, was->name) == 0 && strcmp(coercible[i].now, now->name) == 0) {
            /* With a length a function is called all the same, but for the finest of times. */
            long long p, ignored;
            arguments(now, &p, &ignored);
            bool is_free = p < 0 || (strncmp(now->name, "time", 4) == 0 && p >= 6);
            return is_free ? coercible[i].change : LINT_REWRITES;
        }
    return LINT_REWRITES;
}
