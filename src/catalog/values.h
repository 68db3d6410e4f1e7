/* What objects of the catalog are made of: kinds, names, types, privileges, keys. Part of catalog.h, whose
 * head says what holds for all of them. */
#pragma once

#include "base/vec.h"

/* In the order in which objects of different kinds are listed: kinds.def. */
typedef enum CatKind {
#define KIND(id, ...) CAT_##id,
#include "catalog/kinds.def"
    CAT_KIND_COUNT
} CatKind;

/* Among what a name may be there once. */
typedef enum CatNaming {
    CAT_NAMED_OWN,    /* objects of the same kind */
    CAT_NAMED_SHARED, /* relations, indexes and types of a schema */
    CAT_NAMED_WHOLE,  /* parts of one relation or type */
} CatNaming;

/* What differs between kinds: the columns of kinds.def. */
typedef struct CatKindInfo {
    const char *name, *title, *sql;
    CatNaming named;
    bool is_part, is_code, is_plain, is_defined;
    const char *owner_privileges, *public_privileges;
    char acl;
} CatKindInfo;

/* What an object is called: everywhere where one is named (dependencies, change lists, messages).
 *   schema, extension          name
 *   type, sequence, relation   schema, name
 *   index                      schema, name       (its table: CatIndex.table)
 *   function                   schema, name, sub = input types: "integer, text" ("" for none)
 *   column, constraint, ...    schema, name = the relation (type), sub = the part
 *   of a rare kind             schema or NULL, name, sub = what else tells it apart: operands, access method */
typedef struct CatRef {
    CatKind kind;
    const char *schema, *name, *sub;
} CatRef;

typedef struct CatName {
    const char *schema, *name; /* name NULL = absent */
} CatName;

/* A type; made by catalog_type or catalog_type_named. */
typedef struct CatType {
    const char *text;   /* as format_type prints it: "character varying(191)", public."Role"[] */
    const char *schema; /* NULL for built-in types */
    const char *name;   /* as in pg_type, for an array its element's: "varchar", "int4", "Role" */
    const char *args;   /* "191", "10,2"; NULL = none */
    bool is_array;
} CatType;

/* Privileges in PostgreSQL's letters ("arwd"), a * behind those with grant option. Only what
 * differs from the defaults of a new object is listed: grants to others; privileges "" for a role
 * that lost its default (PUBLIC on functions); the owner where its own are not all. */
typedef struct CatGrant {
    const char *role; /* NULL = PUBLIC */
    const char *privileges;
} CatGrant;

/* A key of an index or an exclusion constraint: a column or an expression. */
typedef struct CatKey {
    const char *column, *expr; /* one of them; expr in its parentheses where it needs them */
    CatName collation;         /* where not the column's; of an expression: where not "default" */
    CatName opclass;           /* where not the default */
    const char *opclass_args;  /* "siglen=32" */
    const char *op;            /* exclusion: "&&", qualified where not in pg_catalog */
    bool is_desc;
    bool is_nulls_reversed; /* NULLS FIRST ascending, NULLS LAST descending */
} CatKey;

typedef VEC(const char *) CatTexts;
typedef VEC(CatName) CatNames;
typedef VEC(CatRef) CatRefs;
typedef VEC(CatGrant) CatGrants;
typedef VEC(CatKey) CatKeys;
