/* Private to src/catalog: what the kinds and their fields are. Storing, reading back and comparing
 * all walk these tables, so a new field is one row in fields.c, a new kind one in kinds.def. */
#pragma once

#include "catalog/catalog.h"

/* Raise it when the meaning of a field changes: older caches are then not read. */
enum { CAT_FORMAT = 2 };

extern const char *const cat_holds[]; /* names of CatHold, NULL behind them */

typedef enum FieldType {
    FIELD_TEXT, /* const char * */
    FIELD_BOOL,
    FIELD_CHAR,
    FIELD_INT,  /* int64_t */
    FIELD_ENUM, /* of the size of int */
    FIELD_NAME, /* CatName */
    FIELD_TYPE, /* CatType */
    FIELD_TEXTS,
    FIELD_NAMES,
    FIELD_KEYS,
    FIELD_GRANTS,
    FIELD_REFS,
} FieldType;

/* Which rule of CatRules lets a field count. */
typedef enum FieldRule {
    RULE_ALWAYS,
    RULE_NEVER,
    RULE_OWNER,
    RULE_GRANTS,
    RULE_COMMENT,
    RULE_VERSION,
} FieldRule;

typedef struct Field {
    const char *name;
    FieldType type;
    size_t offset;
    FieldRule rule;
    bool is_role;             /* text or texts: names of roles */
    bool is_set;              /* texts: sorted by catalog_finish */
    const char *const *words; /* FIELD_ENUM: the names of its values from 0, ended by NULL */
} Field;

typedef struct KindInfo {
    size_t size;
    const Field *fields; /* without those of the head */
    size_t nfields;
} KindInfo;

const KindInfo *cat_kind_info(CatKind kind);
extern const Field cat_head_fields[];
extern const size_t cat_nhead_fields;

/* A list of objects of one kind: in the catalog, or parts in a relation, domain or composite. */
typedef struct ListInfo {
    CatKind kind;
    const char *key; /* in JSON */
    size_t offset;
} ListInfo;

/* The lists of a kind, and those of the catalog itself; ended by key NULL. */
const ListInfo *cat_part_lists(CatKind kind);
extern const ListInfo cat_lists[];
/* Kinds may share a list of the catalog, and stand one behind the other then: whether it is the first of them. */
bool cat_list_is_first(const ListInfo *info);

/* Lists are arrays of pointers to different structs; these see them all as CatObject pointers. */
typedef struct __attribute__((may_alias)) ObjectList {
    void *v;
    size_t n, cap;
} ObjectList;

static inline ObjectList *
list_at(const void *container, const ListInfo *info)
{
    return (ObjectList *)((uintptr_t)container + info->offset);
}

static inline CatObject *
list_get(const ObjectList *l, size_t i)
{
    CatObject *o;
    memcpy(&o, (const char *)l->v + i * sizeof o, sizeof o);
    return o;
}

static inline const void *
field_at(const void *object, const Field *f)
{
    return (const char *)object + f->offset;
}

/* Whether the field counts for this object under the rules; NULL = everything does. */
bool cat_field_counts(const Field *f, const CatObject *o, const CatRules *rules);

/* The role under its name for comparing. */
const char *cat_role_of(const CatRules *rules, const char *role);

/* Copies for comparing: roles renamed, sorted again. Without roles to rename: the lists given. */
CatTexts cat_roles_of(Arena *a, const CatRules *rules, CatTexts roles);
CatGrants cat_grants_of(Arena *a, const CatRules *rules, CatGrants grants);

void cat_texts_sort(CatTexts *list);
void cat_grants_sort(CatGrants *list);
int cat_text_cmp(const char *x, const char *y); /* NULL first */

/* What tests compare and print: the whole catalog as JSON, canonical: equal catalogs give equal bytes. With rules only what they
 * let count. NULL: everything. */
Str catalog_json(Arena *a, const Catalog *c, const CatRules *rules, bool pretty);
