/* What a schema means: names resolved, relations paired, keys and defaults understood, and every
 * rule of Prisma's validator for provider postgresql checked.
 *
 * psl_validate() always returns the whole picture, also of a schema with errors: then whatever
 * could not be resolved is missing (NULL, PSL_FIELD_UNKNOWN) and marked as broken. Code behind the
 * validator looks at `errors` first and may rely on everything in here when it is 0.
 *
 *     PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = 7}, &diags);
 *     for (size_t i = 0; i < r->nmodels; i++)
 *         for (size_t f = 0; f < r->models[i]->nfields; f++) ...
 *
 * All pointers and views live as long as the arena, the tree and its texts. */
#pragma once

#include "base/map.h"
#include "psl/psl.h"

typedef struct PslModel PslModel;
typedef struct PslModelField PslModelField;
typedef struct PslEnum PslEnum;
typedef struct PslRelation PslRelation;

/* Schemas have very many fields: the enums in them take a byte. */
#define PSL_SMALL __attribute__((packed))

typedef enum PSL_SMALL PslScalar {
    PSL_INT,
    PSL_BIGINT,
    PSL_FLOAT,
    PSL_DECIMAL,
    PSL_BOOLEAN,
    PSL_TEXT, /* `String` */
    PSL_DATETIME,
    PSL_JSON,
    PSL_BYTES,
    PSL_SCALAR_COUNT,
} PslScalar;

/* The types behind `@db.`: id, name as written, scalar type, most arguments (all or none). */
#define PSL_NATIVE_TYPES(X)                                                                        \
    X(SMALLINT, "SmallInt", PSL_INT, 0)                                                            \
    X(INTEGER, "Integer", PSL_INT, 0)                                                              \
    X(BIGINT, "BigInt", PSL_BIGINT, 0)                                                             \
    X(DECIMAL, "Decimal", PSL_DECIMAL, 2)                                                          \
    X(MONEY, "Money", PSL_DECIMAL, 0)                                                              \
    X(INET, "Inet", PSL_TEXT, 0)                                                                   \
    X(OID, "Oid", PSL_INT, 0)                                                                      \
    X(CITEXT, "Citext", PSL_TEXT, 0)                                                               \
    X(REAL, "Real", PSL_FLOAT, 0)                                                                  \
    X(DOUBLE, "DoublePrecision", PSL_FLOAT, 0)                                                     \
    X(VARCHAR, "VarChar", PSL_TEXT, 1)                                                             \
    X(CHAR, "Char", PSL_TEXT, 1)                                                                   \
    X(TEXT, "Text", PSL_TEXT, 0)                                                                   \
    X(BYTEA, "ByteA", PSL_BYTES, 0)                                                                \
    X(TIMESTAMP, "Timestamp", PSL_DATETIME, 1)                                                     \
    X(TIMESTAMPTZ, "Timestamptz", PSL_DATETIME, 1)                                                 \
    X(DATE, "Date", PSL_DATETIME, 0)                                                               \
    X(TIME, "Time", PSL_DATETIME, 1)                                                               \
    X(TIMETZ, "Timetz", PSL_DATETIME, 1)                                                           \
    X(BOOLEAN, "Boolean", PSL_BOOLEAN, 0)                                                          \
    X(BIT, "Bit", PSL_TEXT, 1)                                                                     \
    X(VARBIT, "VarBit", PSL_TEXT, 1)                                                               \
    X(UUID, "Uuid", PSL_TEXT, 0)                                                                   \
    X(XML, "Xml", PSL_TEXT, 0)                                                                     \
    X(JSON, "Json", PSL_JSON, 0)                                                                   \
    X(JSONB, "JsonB", PSL_JSON, 0)

typedef enum PSL_SMALL PslNative {
    PSL_NATIVE_NONE, /* no @db. attribute: the default type of the scalar */
#define X(id, name, scalar, args) PSL_NATIVE_##id,
    PSL_NATIVE_TYPES(X)
#undef X
        PSL_NATIVE_COUNT,
} PslNative;

/* What is known of a native type. */
typedef struct PslNativeInfo {
    const char *name; /* "VarChar"; NULL for PSL_NATIVE_NONE */
    PslScalar scalar;
    unsigned max_args;
} PslNativeInfo;

const PslNativeInfo *psl_native_info(PslNative type);

/* "Int", "String", ... as written in schemas. */
const char *psl_scalar_name(PslScalar scalar);

/* Is this the name of a scalar type? ret may be NULL. */
bool psl_scalar_of(Str name, PslScalar *ret);

/* Can no model or enum be called so, because the generated client could not? */
bool psl_is_reserved(Str name);

/* The operator class of that name in the database, NULL when schemas have no word for it. */
const struct PslOpClass *psl_opclass_of_sql(Str sql);

typedef enum PSL_SMALL PslFieldKind {
    PSL_FIELD_UNKNOWN, /* its type could not be resolved */
    PSL_FIELD_SCALAR,
    PSL_FIELD_ENUM,
    PSL_FIELD_UNSUPPORTED, /* ast->type.name is the database's type */
    PSL_FIELD_RELATION,
    PSL_FIELD_COMPOSITE, /* of a `type`: always an error */
} PslFieldKind;

typedef enum PSL_SMALL PslDefaultKind {
    PSL_DEFAULT_NONE,
    PSL_DEFAULT_VALUE, /* a literal, an enum value or an array of those: `value` */
    PSL_DEFAULT_AUTOINCREMENT,
    PSL_DEFAULT_NOW,
    PSL_DEFAULT_UUID, /* the last four are made by the client, not by the database */
    PSL_DEFAULT_CUID,
    PSL_DEFAULT_ULID,
    PSL_DEFAULT_NANOID,
    PSL_DEFAULT_DBGENERATED, /* `value`: the SQL, a string, or NULL */
} PslDefaultKind;

typedef struct PslDefault {
    const PslAttr *attr; /* @default; NULL: none */
    const PslExpr *value;
    PslDefaultKind kind;
} PslDefault;

typedef enum PSL_SMALL PslAction {
    PSL_ACTION_NONE, /* not written */
    PSL_CASCADE,
    PSL_RESTRICT,
    PSL_NO_ACTION,
    PSL_SET_NULL,
    PSL_SET_DEFAULT,
} PslAction;

/* "Cascade", ...; "" for PSL_ACTION_NONE. */
const char *psl_action_name(PslAction action);

/* A list of fields, in the order in which they were written. */
typedef struct PslFieldList {
    PslModelField **v;
    size_t n;
} PslFieldList;

/* What stands in the @relation of one field. */
typedef struct PslRelationAttr {
    const PslAttr *attr; /* NULL: nothing was written */
    Str name, map;       /* n == 0: none */
    PslFieldList fields, references;
    bool has_fields, has_references; /* the arguments were written */
    PslAction on_delete, on_update;
} PslRelationAttr;

struct PslModelField {
    const PslField *ast;
    PslModel *model;
    Str name;
    Str column; /* @map, or the name */
    PslFieldKind kind;
    PslArity arity;
    bool is_ignored;
    bool is_updated_at;
    bool is_broken;   /* an error was found in it */
    PslScalar scalar; /* PSL_FIELD_SCALAR */
    PslNative native; /* PSL_FIELD_SCALAR */
    uint8_t native_nargs;
    uint32_t native_args[2];
    const PslAttr *native_attr;
    PslDefault dflt;
    PslEnum *enum_; /* PSL_FIELD_ENUM */

    /* PSL_FIELD_RELATION */
    PslModel *target;
    PslRelation *relation;          /* NULL only when broken */
    const PslRelationAttr *written; /* in this field's own attribute, never NULL */
    uint32_t mark;                  /* scratch of the validator */
};

typedef enum PslKeyKind {
    PSL_KEY_ID,
    PSL_KEY_UNIQUE,
    PSL_KEY_INDEX,
    PSL_KEY_FULLTEXT, /* always an error on PostgreSQL */
} PslKeyKind;

typedef enum PslIndexType {
    PSL_INDEX_DEFAULT, /* not written: BTree */
    PSL_INDEX_BTREE,
    PSL_INDEX_HASH,
    PSL_INDEX_GIST,
    PSL_INDEX_GIN,
    PSL_INDEX_SPGIST,
    PSL_INDEX_BRIN,
} PslIndexType;

/* "BTree", "Hash", ... */
const char *psl_index_type_name(PslIndexType type);

typedef enum PslSort {
    PSL_SORT_NONE,
    PSL_SORT_ASC,
    PSL_SORT_DESC,
} PslSort;

/* An operator class that schemas may name; see opclasses.c. */
typedef struct PslOpClass {
    const char *name; /* "JsonbPathOps" */
    const char *sql;  /* "jsonb_path_ops" */
} PslOpClass;

typedef struct PslKeyField {
    PslModelField *field;
    PslSort sort;
    const PslOpClass *ops; /* NULL: none */
    Str raw_ops;           /* ops: raw("..."); p == NULL: none */
    bool has_length;       /* an error on PostgreSQL */
} PslKeyField;

/* @id, @@id, @unique, @@unique, @@index. */
typedef struct PslKey {
    PslKeyKind kind;
    const PslAttr *attr;
    PslModel *model;
    PslModelField *source; /* the field that carries the attribute, NULL for @@ */
    PslKeyField *fields;
    size_t nfields;
    Str client_name; /* `name`: what the client calls it; n == 0: none */
    Str name;        /* of the constraint or index in the database, at most 63 bytes when default */
    bool is_mapped;  /* the name was written (`map`), not derived */
    PslIndexType type;
    const PslExpr *where; /* PSL_FUNCTION raw("...") or PSL_OBJECT; NULL: none */
    const PslArg *clustered;
    bool is_broken; /* an error was found in its arguments */
} PslKey;

typedef VEC(PslKey *) PslKeyVec;

struct PslModel {
    const PslDecl *decl;
    uint32_t index; /* in PslResolved.models */
    Str name;
    Str table;  /* @@map, or the name */
    Str schema; /* @@schema; n == 0: none */
    bool is_view;
    bool is_ignored;
    bool is_broken;  /* an error was found in it */
    bool is_partial; /* text of it could not be read, or it is there twice: fields may be missing */
    bool is_keyless; /* that no key has required fields only was reported */
    PslModelField *fields;
    size_t nfields;
    PslKey *id;     /* NULL: none */
    PslKeyVec keys; /* uniques and indexes; those of fields first, then @@index, @@unique */
    Map by_name;    /* name -> PslModelField, of large models: use psl_model_field() */
};

typedef struct PslEnumValue {
    const PslValue *ast;
    Str name;
    Str db_name; /* @map, or the name */
} PslEnumValue;

struct PslEnum {
    const PslDecl *decl;
    Str name;
    Str db_name; /* @@map, or the name */
    Str schema;  /* @@schema; n == 0: none */
    bool is_partial;
    PslEnumValue *values;
    size_t nvalues;
    Map by_name; /* name -> PslEnumValue */
};

typedef enum PslRelationKind {
    PSL_ONE_TO_ONE,
    PSL_ONE_TO_MANY,
    PSL_MANY_TO_MANY, /* implicit: through a table of its own */
} PslRelationKind;

/* A relation between two models.
 *
 * 1-1 and 1-n: `forward` is the field with `fields` and `references`, in the model that holds the
 * columns; `back` is the other one. n-m: forward and back are the fields of the models A and B of
 * the join table's columns "A" and "B". One of the two is NULL only when the schema is broken. */
struct PslRelation {
    PslRelationKind kind;
    PslModelField *forward, *back;
    PslModel *from, *to; /* the models of forward and back */
    bool is_self;
    bool is_broken;    /* an error was found in it or in one of its models */
    bool is_ambiguous; /* reported */
    Str name;          /* explicit, or "AToB" */
    bool is_named;
    PslFieldList fields, references;
    PslAction on_delete, on_update; /* written or by default; 1-1 and 1-n */
    Str constraint;                 /* name of the foreign key; n-m: of the join table ("_AToB") */
};

typedef enum PslUrlKind {
    PSL_URL_NONE,
    PSL_URL_TEXT,
    PSL_URL_ENV, /* text: name of the environment variable */
} PslUrlKind;

typedef struct PslUrl {
    PslUrlKind kind;
    Str text;
    const PslProp *prop;
} PslUrl;

typedef struct PslExtension {
    Str name;
    Str db_name, schema, version; /* n == 0: not written */
    PslSpan span;
} PslExtension;

typedef enum PslRelationMode {
    PSL_FOREIGN_KEYS,
    PSL_MODE_PRISMA,
} PslRelationMode;

typedef struct PslDatasource {
    const PslDecl *decl;
    Str name;
    Str provider;
    bool is_postgres;
    PslRelationMode relation_mode;
    PslUrl url, direct_url, shadow_url;
    const PslProp *schemas_prop;
    Str *schemas;
    size_t nschemas;
    const PslProp *extensions_prop;
    PslExtension *extensions;
    size_t nextensions;
} PslDatasource;

typedef struct PslGenerator {
    const PslDecl *decl;
    Str name;
    PslUrl provider;
    PslUrl output;
    Str *previews; /* as written */
    size_t npreviews;
} PslGenerator;

typedef struct PslResolved {
    const PslSchema *schema;
    PslDatasource *datasource; /* the first usable one, or NULL */
    PslGenerator *generators;
    size_t ngenerators;
    PslModel **models; /* models and views, in order of the text */
    size_t nmodels;
    PslEnum **enums;
    size_t nenums;
    PslRelation **relations; /* in order of their first field */
    size_t nrelations;
    size_t errors; /* found here; syntax errors are in schema->errors */
    Map models_by_name;
    Map enums_by_name;
} PslResolved;

typedef struct PslValidateOpts {
    int prisma; /* 5, 6 or 7: only what that generation accepts; 0: what any of them accepts */
} PslValidateOpts;

/* Resolve and check a schema. Errors and warnings are added to `diags` (not sorted), all that can
 * be found in one pass; consequences of an error that was reported are left out. With prisma = 0 a
 * form that only some generations of Prisma accept gives a warning.
 *
 * opts     NULL for defaults
 * returns  never NULL, owned by `a`
 * cost     O(n log n) in the size of the schema */
PslResolved *psl_validate(Arena *a, const PslSchema *schema, const PslValidateOpts *opts,
                          FindingList *diags);

/* Look up by the name in the schema; NULL when there is none. */
PslModel *psl_model(const PslResolved *r, Str name);
PslEnum *psl_enum(const PslResolved *r, Str name);
PslModelField *psl_model_field(const PslModel *model, Str name);

/* True when a generator asks for the preview feature (case does not matter). */
bool psl_has_preview(const PslResolved *r, const char *feature);

/* -- Telling what was understood (`aramid schema`); of a schema with errors, what could be
 * resolved -- */

/* Text for people: models with tables, columns, keys and relations, enums. Owned by `a`. */
Str psl_describe(Arena *a, const PslResolved *r);

/* The same as members of the JSON object that is open: datasource, models, enums, relations
 * (docs/schema/schema.json). */
void psl_describe_json(JsonWriter *w, const PslResolved *r);
