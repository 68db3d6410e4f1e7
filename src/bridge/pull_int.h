/* Private to src/bridge: the parts of bridge_pull. */
#pragma once

#include "bridge/bridge_int.h"
#include "bridge/pull.h"

typedef struct PullModel PullModel;

/* What a field says; texts as they are written, NULL = nothing. In Prisma's order. */
typedef enum PullPart {
    PART_ID,
    PART_UNIQUE,
    PART_DEFAULT,
    PART_MAP,
    PART_RELATION,
    PART_NATIVE,
    PART_IGNORE,
    PART_COUNT
} PullPart;

typedef struct PullField {
    const char *name;
    const CatColumn *column;  /* of scalar fields */
    const PslModelField *old; /* what it was before */
    const char *type;         /* Int, Role, Unsupported("x"), User */
    const char *arity;        /* "", "?", "[]" */
    const char *unsupported;  /* the type in SQL, where the language has no word for it */
    const char *parts[PART_COUNT];
} PullField;

typedef VEC(PullField) PullFields;

typedef struct PullKey {
    PslKeyKind kind;
    const char *name;      /* in the database */
    const CatIndex *index; /* also for constraints */
    const PslKey *old;
    PullField *field; /* that it is written at; NULL: as @@ */
    bool is_left_out;
} PullKey;

typedef VEC(PullKey) PullKeys;

struct PullModel {
    const CatRelation *table;
    const PslModel *old;
    const CatRelation *old_table; /* what the old model would make */
    const char *name;
    const char
        *plain_name; /* without the schema in front of it: what relation fields are called by */
    bool has_id, is_ignored, is_renamed_reserved, is_duplicate;
    PullFields fields;    /* in order of the columns */
    PullFields relations; /* relation fields */
    PullKeys keys, old_keys;
    CatTexts docs;
};

typedef struct PullEnum {
    const CatEnum *type;
    const PslEnum *old;
    const char *name;
    bool is_renamed_reserved, is_duplicate;
    CatTexts values; /* names, as many as labels */
} PullEnum;

typedef struct PullCtx {
    Arena *a;
    const Catalog *catalog;
    const PslResolved *old;
    Bridge old_bridge;
    const char *schema; /* default */
    const PullOptions *options;
    bool keeps;                  /* models of the old schema */
    bool says_schema;            /* every model has @@schema */
    bool has_views, has_partial; /* preview features */
    bool adds_partial;           /* partialIndexes is still to be added to the generators */
    bool is_emulated;            /* relationMode = "prisma" */
    VEC(PullModel *) models;
    VEC(PullEnum *) enums;
    Map models_by_table, enums_by_type; /* schema, name */
    Map models_by_name;
    CatRefs *unsayable; /* keys that no valid schema can say: index, schema, table, name */
    Pull *out;
} PullCtx;

/* pull_names.c: which models, enums and fields there are, and what they are called. */
void pull_collect(PullCtx *c);
Str pull_key(PullCtx *c, const char *schema, const char *name);
PullModel *pull_model(PullCtx *c, const char *schema, const char *name);
PullField *pull_field(PullModel *m, const char *column);
const char *pull_free_name(PullCtx *c, const PullModel *m, const char *wish);
bool pull_is_join_table(PullCtx *c, const CatRelation *t);

/* pull_types.c: types and defaults. */
void pull_fill_field(PullCtx *c, const Catalog *catalog, const CatColumn *column, PullField *f);
void pull_add_string(Buf *b, Str text); /* in double quotes */

/* pull_values.c: reading constants as a server prints them. */
typedef enum PullValueKind { VALUE_OTHER, VALUE_STRING, VALUE_WORD, VALUE_ARRAY } PullValueKind;

typedef struct PullValue {
    PullValueKind kind;
    Str text; /* decoded, or a number or word as written */
    struct PullValue *v;
    size_t n;
} PullValue;

typedef struct PullReader {
    Arena *a;
    Str s;
    size_t at;
    int depth;
} PullReader;

/* Go behind `text` where it stands next, in any case of letters. */
bool pull_take(PullReader *r, const char *text);
/* A constant with casts around it. */
bool pull_read_value(PullReader *r, PullValue *ret);
/* The elements of '{1,"a b"}'. */
bool pull_read_array(Arena *a, Str s, PullValue *ret);
bool pull_is_word(char ch); /* part of a name */

/* pull_keys.c: identifiers, uniques and indexes, and the fields that may carry them. */
void pull_keys(PullCtx *c, PullModel *m);
const char *pull_key_text(PullCtx *c, const PullModel *m, const PullKey *k);
const char *pull_default_name(Arena *a, const char *table, const CatTexts *columns,
                              const char *suffix);
bool pull_is_unsayable(const PullCtx *c, const CatRef *table, const char *key);

/* pull_check.c: whether what was written is valid; keys that are not become unsayable. */
bool pull_check(PullCtx *c, Err *err);

/* pull_relations.c: relation fields. */
void pull_relations(PullCtx *c);

/* pull_notes.c: what is said beside. */
void pull_notes(PullCtx *c);
void pull_find(PullCtx *c, FindingId id, const char *object);

/* pull_render.c: pieces of blocks, and new ones. */
void pull_add_field(Buf *b, const PullField *f);
void pull_add_schema(PullCtx *c, Buf *b, const char *schema);
void pull_add_value(Buf *b, const char *name, const char *label);
Str pull_laid_out(PullCtx *c, Str text); /* as `aramid format` does, without the last line end */
const char *pull_new_model(PullCtx *c, const PullModel *m);
const char *pull_new_enum(PullCtx *c, const PullEnum *e);
CatTexts pull_enum_docs(PullCtx *c, const PullEnum *e);
/* What is to be said above a block and is not there yet; each line ends in a line end. */
Str pull_docs(PullCtx *c, const CatTexts *docs, Str there);

/* pull_edit.c: old blocks. */
/* The block's text with the edits made; its own text when nothing changes. */
Str pull_edit_model(PullCtx *c, PullModel *m);
Str pull_edit_enum(PullCtx *c, const PullEnum *e);
