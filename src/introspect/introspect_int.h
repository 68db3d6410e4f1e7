/* Private to src/introspect: the queries, and the state while their rows come in. */
#pragma once

#include "introspect/introspect.h"

typedef struct RelColumn {
    const char *name; /* NULL: dropped */
    CatColumn *column;
    unsigned collation;
} RelColumn;

/* A relation (or composite type) while it is read: column numbers are looked up here. Relations
 * that are left out have one, too, because foreign keys may refer to their columns. */
typedef struct Rel {
    CatObject *object; /* NULL: left out */
    const char *schema, *name;
    VEC(RelColumn) columns; /* by attnum - 1 */
} Rel;

typedef struct Reading {
    Arena *arena;   /* of the catalog */
    Arena *scratch; /* until the end of reading */
    const IntrospectOptions *options;
    int major;
    Catalog *catalog;
    bool is_torn;          /* something vanished while it was read */
    VEC(unsigned) schemas; /* their oids */
    Map names;             /* texts that are shared: -> const char * */
    Map types;             /* text of a type -> CatType * */
    Map objects;           /* (class, oid) -> CatObject * */
    Map rels;              /* oid of pg_class -> Rel * */
    Map opclasses;         /* oid -> CatName *, those that are no default */
    Map collations;        /* oid -> CatName * */
} Reading;

typedef struct Query {
    const char *sql;
    void (*row)(Reading *r, const Str *cells);
} Query;

/* The first query gives the schemas; the others read what is in them. */
extern const Query intro_schema_query;
extern const Query intro_queries[];
extern const size_t intro_nqueries;

/* Expand a query's braces into b. */
void intro_query_add(Buf *b, const Reading *r, const char *sql);

/* Rows, one function for each query. */
void intro_row_schema(Reading *r, const Str *cells);
void intro_row_extension(Reading *r, const Str *cells);
void intro_row_opclass(Reading *r, const Str *cells);
void intro_row_collation(Reading *r, const Str *cells);
void intro_row_type(Reading *r, const Str *cells);
void intro_row_label(Reading *r, const Str *cells);
void intro_row_relation(Reading *r, const Str *cells);
void intro_row_column(Reading *r, const Str *cells);
void intro_row_sequence(Reading *r, const Str *cells);
void intro_row_function(Reading *r, const Str *cells);
void intro_row_constraint(Reading *r, const Str *cells);
void intro_row_index(Reading *r, const Str *cells);
void intro_row_index_option(Reading *r, const Str *cells);
void intro_row_trigger(Reading *r, const Str *cells);
void intro_row_rule(Reading *r, const Str *cells);
void intro_row_policy(Reading *r, const Str *cells);
void intro_row_comment(Reading *r, const Str *cells);
void intro_row_dependency(Reading *r, const Str *cells);
void intro_row_other(Reading *r, const Str *cells);

/* Put columns into the order of their numbers: the server need not sort them. */
void intro_finish(Reading *r);

/* Elements of an array's text, nested ones flattened; NULL elements have p == NULL. */
typedef VEC(Str) Strs;
Strs intro_array(Arena *a, Str text);

/* What of an object's ACL differs from the defaults. */
CatGrants intro_acl(Reading *r, const CatRef *id, const char *owner, Str acl);
