/* The tables of kinds and fields. */
#include "catalog/catalog_int.h"

#include <assert.h>

static const char *const identity_words[] = {"", "always", "by default", NULL};
static const char *const generated_words[] = {"", "stored", "virtual", NULL};
static const char *const constraint_words[] = {"check",   "primary key", "unique",
                                               "exclude", "foreign key", NULL};
const char *const cat_holds[] = {"exists", "key", "code", "query", "rows", "lists", "typed", NULL};
static const char *const action_words[] = {"no action", "restrict",    "cascade",
                                           "set null",  "set default", NULL};

#define UNCOMPARED(T, field, type_)                                                                \
    {                                                                                              \
        .name = #field, .type = (type_), .offset = offsetof(T, field), .rule = RULE_NEVER          \
    }

#define F(T, field, type_)                                                                         \
    {                                                                                              \
        .name = #field, .type = (type_), .offset = offsetof(T, field)                              \
    }
#define COMMENT(T, field)                                                                          \
    {                                                                                              \
        .name = #field, .type = FIELD_TEXT, .offset = offsetof(T, field), .rule = RULE_COMMENT     \
    }
#define SET(T, field)                                                                              \
    {                                                                                              \
        .name = #field, .type = FIELD_TEXTS, .offset = offsetof(T, field), .is_set = true          \
    }
#define WORDS(T, field, words_)                                                                    \
    {                                                                                              \
        .name = #field, .type = FIELD_ENUM, .offset = offsetof(T, field), .words = (words_)        \
    }

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

const Field cat_head_fields[] = {
    {"owner", FIELD_TEXT, offsetof(CatObject, owner), RULE_OWNER, true, false, NULL},
    {"comment", FIELD_TEXT, offsetof(CatObject, comment), RULE_COMMENT, false, false, NULL},
    {"grants", FIELD_GRANTS, offsetof(CatObject, grants), RULE_GRANTS, false, false, NULL},
    {"needs", FIELD_REFS, offsetof(CatObject, needs), RULE_NEVER, false, false, NULL},
};
const size_t cat_nhead_fields = COUNT(cat_head_fields);

static const Field no_fields[] = {END};

static const Field schema_fields[] = {UNCOMPARED(CatSchema, usual, FIELD_TEXT), END};

static const Field extension_fields[] = {
    F(CatExtension, in_schema, FIELD_TEXT),
    {.name = "version",
     .type = FIELD_TEXT,
     .offset = offsetof(CatExtension, version),
     .rule = RULE_VERSION},
    END,
};

static const Field enum_fields[] = {F(CatEnum, labels, FIELD_TEXTS), END};

static const Field domain_fields[] = {
    F(CatDomain, type, FIELD_TYPE),
    F(CatDomain, default_expr, FIELD_TEXT),
    F(CatDomain, collation, FIELD_NAME),
    F(CatDomain, is_not_null, FIELD_BOOL),
    UNCOMPARED(CatDomain, not_null_name, FIELD_TEXT),
    COMMENT(CatDomain, not_null_comment),
    END,
};

static const Field sequence_fields[] = {
    F(CatSequence, type, FIELD_TYPE),         F(CatSequence, start, FIELD_INT),
    F(CatSequence, increment, FIELD_INT),     F(CatSequence, min, FIELD_INT),
    F(CatSequence, max, FIELD_INT),           F(CatSequence, cache, FIELD_INT),
    F(CatSequence, is_cycle, FIELD_BOOL),     F(CatSequence, is_unlogged, FIELD_BOOL),
    F(CatSequence, is_identity, FIELD_BOOL),  F(CatSequence, owner_table, FIELD_NAME),
    F(CatSequence, owner_column, FIELD_TEXT), END,
};

static const Field function_fields[] = {
    F(CatFunction, is_procedure, FIELD_BOOL),
    F(CatFunction, arguments, FIELD_TEXT),
    F(CatFunction, returns, FIELD_TEXT),
    F(CatFunction, definition, FIELD_TEXT),
    END,
};

static const Field relation_fields[] = {
    F(CatRelation, query, FIELD_TEXT),
    F(CatRelation, partition_key, FIELD_TEXT),
    F(CatRelation, partition_of, FIELD_NAME),
    F(CatRelation, partition_bound, FIELD_TEXT),
    F(CatRelation, inherits, FIELD_NAMES),
    F(CatRelation, of_type, FIELD_NAME),
    SET(CatRelation, options),
    SET(CatRelation, toast_options),
    F(CatRelation, tablespace, FIELD_TEXT),
    F(CatRelation, access_method, FIELD_TEXT),
    F(CatRelation, replica_index, FIELD_TEXT),
    F(CatRelation, cluster_index, FIELD_TEXT),
    F(CatRelation, replica_identity, FIELD_CHAR),
    F(CatRelation, is_unlogged, FIELD_BOOL),
    F(CatRelation, is_rls, FIELD_BOOL),
    F(CatRelation, is_rls_forced, FIELD_BOOL),
    END,
};

static const Field column_fields[] = {
    F(CatColumn, type, FIELD_TYPE),
    F(CatColumn, is_not_null, FIELD_BOOL),
    F(CatColumn, is_not_null_unchecked, FIELD_BOOL),
    UNCOMPARED(CatColumn, is_not_null_no_inherit, FIELD_BOOL),
    UNCOMPARED(CatColumn, is_not_null_inherited, FIELD_BOOL),
    UNCOMPARED(CatColumn, is_not_null_own, FIELD_BOOL),
    UNCOMPARED(CatColumn, not_null_name, FIELD_TEXT),
    UNCOMPARED(CatColumn, not_null_comment, FIELD_TEXT),
    F(CatColumn, default_expr, FIELD_TEXT),
    WORDS(CatColumn, identity, identity_words),
    WORDS(CatColumn, generated, generated_words),
    F(CatColumn, collation, FIELD_NAME),
    F(CatColumn, statistics, FIELD_TEXT),
    SET(CatColumn, options),
    F(CatColumn, storage, FIELD_CHAR),
    F(CatColumn, compression, FIELD_CHAR),
    F(CatColumn, is_inherited, FIELD_BOOL),
    END,
};

static const Field index_fields[] = {
    F(CatIndex, table, FIELD_TEXT),
    F(CatIndex, is_unique, FIELD_BOOL),
    F(CatIndex, is_nulls_not_distinct, FIELD_BOOL),
    F(CatIndex, method, FIELD_TEXT),
    F(CatIndex, keys, FIELD_KEYS),
    F(CatIndex, include, FIELD_TEXTS),
    F(CatIndex, predicate, FIELD_TEXT),
    SET(CatIndex, options),
    SET(CatIndex, statistics),
    F(CatIndex, tablespace, FIELD_TEXT),
    F(CatIndex, parent, FIELD_NAME),
    F(CatIndex, is_only, FIELD_BOOL),
    F(CatIndex, is_invalid, FIELD_BOOL),
    END,
};

static const Field constraint_fields[] = {
    WORDS(CatConstraint, type, constraint_words),
    F(CatConstraint, columns, FIELD_TEXTS),
    F(CatConstraint, ref_table, FIELD_NAME),
    F(CatConstraint, ref_columns, FIELD_TEXTS),
    WORDS(CatConstraint, on_update, action_words),
    WORDS(CatConstraint, on_delete, action_words),
    F(CatConstraint, set_columns, FIELD_TEXTS),
    F(CatConstraint, is_match_full, FIELD_BOOL),
    F(CatConstraint, include, FIELD_TEXTS),
    F(CatConstraint, keys, FIELD_KEYS),
    F(CatConstraint, method, FIELD_TEXT),
    SET(CatConstraint, options),
    F(CatConstraint, tablespace, FIELD_TEXT),
    COMMENT(CatConstraint, index_comment),
    F(CatConstraint, is_nulls_not_distinct, FIELD_BOOL),
    F(CatConstraint, is_without_overlaps, FIELD_BOOL),
    F(CatConstraint, expr, FIELD_TEXT),
    F(CatConstraint, is_no_inherit, FIELD_BOOL),
    F(CatConstraint, is_deferrable, FIELD_BOOL),
    F(CatConstraint, is_deferred, FIELD_BOOL),
    F(CatConstraint, is_not_valid, FIELD_BOOL),
    F(CatConstraint, is_not_enforced, FIELD_BOOL),
    F(CatConstraint, is_inherited, FIELD_BOOL),
    END,
};

static const Field trigger_fields[] = {
    F(CatTrigger, function, FIELD_NAME),
    F(CatTrigger, definition, FIELD_TEXT),
    F(CatTrigger, enabled, FIELD_CHAR),
    F(CatTrigger, is_inherited, FIELD_BOOL),
    END,
};

static const Field rule_fields[] = {
    F(CatRule, definition, FIELD_TEXT),
    F(CatRule, enabled, FIELD_CHAR),
    END,
};

static const Field defined_fields[] = {
    F(CatDefined, definition, FIELD_TEXT),
    UNCOMPARED(CatDefined, address, FIELD_TEXT),
    UNCOMPARED(CatDefined, removal, FIELD_TEXTS),
    F(CatDefined, setting, FIELD_TEXT),
    SET(CatDefined, options),
    SET(CatDefined, secrets),
    F(CatDefined, more, FIELD_TEXTS),
    UNCOMPARED(CatDefined, multirange, FIELD_NAME), /* the definition says it */
    COMMENT(CatDefined, multirange_comment),
    F(CatDefined, enabled, FIELD_CHAR),
    UNCOMPARED(CatDefined, goes_along, FIELD_BOOL),
    END,
};

static const Field policy_fields[] = {
    F(CatPolicy, command, FIELD_CHAR),
    {.name = "roles",
     .type = FIELD_TEXTS,
     .offset = offsetof(CatPolicy, roles),
     .is_role = true,
     .is_set = true},
    F(CatPolicy, using_expr, FIELD_TEXT),
    F(CatPolicy, check_expr, FIELD_TEXT),
    F(CatPolicy, is_restrictive, FIELD_BOOL),
    END,
};

static const KindInfo kinds[] = {
#define KIND(id, T, fields, ...) {sizeof(T), fields##_fields, COUNT(fields##_fields) - 1},
#include "catalog/kinds.def"
};
static_assert(COUNT(kinds) == CAT_KIND_COUNT, "a row for each kind");

static const CatKindInfo infos[] = {
#define ROW(part, defined, name, title, sql, named, code, plain, owner, public, acl)               \
    {name, title, sql, CAT_NAMED_##named, part, code, plain, defined, owner, public, acl},
#define KIND(id, T, fields, list, key, name, title, sql, named, code, plain, owner, public, acl,   \
             ...)                                                                                  \
    ROW(false, false, name, title, sql, named, code, plain, owner, public, acl)
#define PART(id, T, fields, list, key, name, title, sql, named, code, plain, owner, public, acl,   \
             ...)                                                                                  \
    ROW(true, false, name, title, sql, named, code, plain, owner, public, acl)
#define DEFINED(id, key, name, title, sql, named, code, plain, owner, public, acl, ...)            \
    ROW(false, true, name, title, sql, named, code, plain, owner, public, acl)
#include "catalog/kinds.def"
#undef ROW
};

const KindInfo *
cat_kind_info(CatKind kind)
{
    return &kinds[kind];
}

const CatKindInfo *
cat_kind(CatKind kind)
{
    return &infos[kind];
}

const char *
cat_kind_name(CatKind kind)
{
    return infos[kind].name;
}

const ListInfo cat_lists[] = {
#define KIND(id, T, fields, list, key, ...) {CAT_##id, key, offsetof(Catalog, list)},
#define PART(...)
#include "catalog/kinds.def"
    {0, NULL, 0},
};

static const ListInfo relation_lists[] = {
#define KIND(...)
#define DEFINED(...)
#define PART(id, T, fields, list, key, ...) {CAT_##id, key, offsetof(CatRelation, list)},
#include "catalog/kinds.def"
    {0, NULL, 0},
};

bool
cat_list_is_first(const ListInfo *info)
{
    return info == cat_lists || info[-1].offset != info->offset;
}

const ListInfo *
cat_part_lists(CatKind kind)
{
    static const ListInfo none[] = {{0, NULL, 0}};
    static const ListInfo domain[] = {
        {CAT_CONSTRAINT, "constraints", offsetof(CatDomain, constraints)}, {0, NULL, 0}};
    static const ListInfo composite[] = {{CAT_COLUMN, "columns", offsetof(CatComposite, columns)},
                                         {0, NULL, 0}};
    switch (kind) {
    case CAT_TABLE:
    case CAT_VIEW:
    case CAT_MATVIEW:
        return relation_lists;
    case CAT_DOMAIN:
        return domain;
    case CAT_COMPOSITE:
        return composite;
    default:
        return none;
    }
}
