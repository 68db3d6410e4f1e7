/* Private to src/diff. */
#pragma once

#include "diff/diff.h"

/* In the order of the steps of Prisma's engine (sql_migration.rs), the others in between. */
typedef enum Rank {
    RANK_FIRST, /* what would act on other changes: event triggers, default privileges */
    RANK_CREATE_SCHEMA,
    RANK_RENAME, /* also into a new schema */
    RANK_DROP_EXTENSION,
    RANK_CREATE_EXTENSION,
    RANK_ALTER_EXTENSION,
    RANK_DROP_CODE, /* policies, triggers, rules, views */
    RANK_CREATE_ENUM,
    RANK_ALTER_ENUM,
    RANK_CREATE_TYPE, /* domains, composite types */
    RANK_ALTER_TYPE,
    RANK_CREATE_SEQUENCE,
    RANK_DROP_FOREIGN_KEY,
    RANK_DROP_CONSTRAINT,
    RANK_DROP_INDEX,
    RANK_ALTER_TABLE,
    RANK_DROP_TABLE,
    RANK_DROP_ENUM,
    RANK_DROP_TYPE,
    RANK_DROP_SEQUENCE,
    RANK_DROP_FUNCTION,
    RANK_CREATE_TABLE,
    RANK_ALTER_SEQUENCE,
    RANK_CREATE_INDEX,
    RANK_RENAME_FOREIGN_KEY,
    RANK_ADD_CONSTRAINT,
    RANK_ATTACH,
    RANK_ADD_FOREIGN_KEY,
    RANK_RENAME_INDEX,
    RANK_CREATE_FUNCTION,
    RANK_CREATE_VIEW,
    RANK_CREATE_RULE,
    RANK_CREATE_TRIGGER,
    RANK_CREATE_POLICY,
    RANK_CREATE_PUBLICATION,
    RANK_ALTER_OTHER,      /* comments, owners, privileges */
    RANK_REMOVE_EXTENSION, /* outside of Prisma's order: what uses it goes first */
    RANK_DROP_SCHEMA,
    RANK_LAST,
} Rank;

typedef struct Pair {
    const CatRelation *from, *to; /* one may be NULL */
} Pair;

typedef struct Differ {
    Arena *arena;
    Diff *diff;
    const Catalog *from, *to;
    const DiffOptions *options;
    bool compat, prisma_kinds;
    bool in_words;      /* one side is schema.prisma that went through a server: see words.c */
    bool has_unchecked; /* the new side has a NOT NULL that is not valid (18) */
    CatRules rules;
    VEC(Pair) tables;         /* those of `from` in their order, then the new ones */
    Map pair_of;              /* schema \0 name -> Pair number + 1 */
    Map owned_from, owned_to; /* sequences by schema \0 table \0 column */
    Map index_names;          /* new ones of indexes that are renamed, by schema and name */
    Map gone;                 /* indexes, by schema and name */
    Map recreated;            /* columns that are dropped, if only to be made again */
    Map remade;               /* ids of code objects that must be dropped and made again */
} Differ;

/* ---- change.c: what every part works with -------------------------------------------------- */

/* Add a change to the end, with the rank of its kind (kinds.def), or another one. */
Change *change_create(Differ *d, const void *to);
Change *change_drop(Differ *d, const void *from);
Change *change_alter(Differ *d, const void *from, const void *to);
Change *change_add(Differ *d, ChangeOp op, const void *from, const void *to, Rank rank);
/* Whether a sequence goes under another name, to be dropped there. */
bool change_makes_room(const Differ *d, const Change *c);
DiffEffect *effect_add(Differ *d, Change *c, FindingId id, const CatRef *at);
Str ref_key(Arena *a, const CatRef *id);
Str name_key(Arena *a, const char *schema, const char *name);
/* A name like this one that no object of its schema has before or afterwards. */
const char *name_free(const Differ *d, const CatRef *id);
bool refs_have(const CatRefs *refs, const CatRef *id);
/* Whether two objects are the same but for what has changes of its own: owner, privileges, comment;
 * and the change of those, if there is one. */
bool part_same(const Differ *d, const void *x, const void *y);
void part_alter(Differ *d, const void *x, const void *y);
/* type_use.c */
/* Whether it is an enum that is made anew; known after diff_enums. */
bool type_is_rebuilt(const Differ *d, const CatType *t);
/* Whether a column or an attribute is of this type, or a list of it. */
bool type_is_used(const Catalog *c, const CatRef *type);
/* Whether rows hold values of it, also inside of other types. */
bool type_is_stored(const Catalog *c, const CatRef *type);
const CatType *type_behind_domains(const Catalog *c, const CatType *t);
/* The new type for which an old one made room under another name, and the other way; or NULL. */
const CatObject *type_made_room(const Differ *d, const CatRef *id);
const CatObject *type_that_made_room(const Differ *d, const CatRef *id);

/* ---- values of columns --------------------------------------------------------------------- */

/* columns.c: the change of a column that both have; false when there is none. */
bool column_compare(Differ *d, const CatColumn *from, const CatColumn *to, ColumnChange *ret);

/* not_null.c: whether the constraint behind NOT NULL differs that both have; names that PostgreSQL gave are all alike. */
bool not_null_differs(const Differ *d, const CatColumn *x, const CatColumn *y);
/* Whether a child's becomes valid, or stays so, where its parent's is not: that does not come with it. */
bool not_null_is_validated(const Differ *d, const CatColumn *x, const CatColumn *y);
bool not_null_is_renamed(const char *was, const char *is);

/* words.c: equal as far as Prisma's language goes. */
/* Whether two default expressions are lists of the same elements, however they are written. */
bool same_list(Arena *a, const char *x, const char *y);
/* JSON without white space between its parts. */
const char *json_squeezed(Arena *a, const char *s);
/* Decimals by value: 1.50 is 1.5. */
Str number_trimmed(const char *s);
/* The type that the language says: behind domains, with the arguments that go without saying. */
CatType words_type(Arena *a, const Catalog *c, CatType t);
/* Whether a column is autoincrement(). */
bool words_draws(const CatColumn *c);
bool words_default_same(const Differ *d, const CatColumn *x, const CatColumn *y);
/* Not partitions, nor tables without columns. */
bool words_know_table(const CatRelation *r);
/* An access method that the language can say; NULL for all others, as for btree. */
const char *words_method(const char *method);
/* Not foreign keys to tables outside, nor between columns of different scalar types, nor of a PERIOD. */
bool words_know_relation(const Differ *d, const CatConstraint *fk);
/* The table of an implicit many-to-many relation on both sides, with what makes its pairs unique;
 * and the index that does. */
bool words_is_join(const CatRelation *x, const CatRelation *y);
bool words_is_pair(const CatIndex *i);

/* casts.c */
Cast cast_choose(const CatColumn *from, const CatColumn *to, const Catalog *c_from,
                 const Catalog *c_to, CastUsing *ret_using);
bool type_is_enum(const Catalog *c, const CatType *type);

/* ---- parts of tables ------------------------------------------------------------------------ */

/* table_columns.c: the columns of a table that stays; and whether one of those named gets another
 * type or is made again. */
void columns_compare(Differ *d, Change *c, const CatRelation *from, const CatRelation *to);
void columns_recreate_generated(Differ *d, Change *c, const CatRelation *from,
                                const CatRelation *to);
/* A column as the first parent that has it gives it; NULL where none does. */
const CatColumn *column_given(const Catalog *c, const CatRelation *t, const char *name);
/* Whether a table and a parent of its own both generate a column that will be plain: PostgreSQL does not take the
 * expression from children of children, so the table's leave it meanwhile. */
bool column_expression_goes_above(const Differ *d, const CatName *table);
bool columns_retyped(const Change *c, const CatTexts *columns);
bool columns_recreated(const Change *c, const CatTexts *columns);

/* keys.c */
void primary_key_compare(Differ *d, Change *c, const CatRelation *x, const CatRelation *y);
/* Whether a primary, unique or exclusion constraint uses the column, if only beside its key. */
bool key_has(const CatConstraint *key, const char *column);
/* The partitioned table's, which a partition's own goes with; NULL where there is none. */
const CatConstraint *key_above(const Catalog *c, const CatConstraint *key);

/* indexes.c; `from` of a new index: its table before, NULL when that is new, too. */
void indexes_compare(Differ *d, Change *table, const CatRelation *x, const CatRelation *y);
Change *index_create(Differ *d, const CatRelation *from, const CatIndex *i);

/* index_state.c: what names an index is a change of its own, and no field of the table's. */
void index_state_compare(Differ *d, const CatRelation *x, const CatRelation *y);
/* The same where the schema has no words for it: what is there is let go, and comes back with the index. */
void index_state_keep(Differ *d, const CatRelation *x, const CatRelation *y);
void index_state_leave(CatTexts *fields, const CatRelation *y);

/* constraints.c */
void constraint_add(Differ *d, const CatConstraint *k);
void constraint_drop(Differ *d, const CatConstraint *k);
/* Whether it can stay: it is equal, or will be when the rows were checked. */
bool constraint_stays(const Differ *d, const CatConstraint *x, const CatConstraint *y);
/* Whether a new table has it itself, beside its primary and foreign keys. */
bool constraint_is_own(const CatRelation *r, const CatConstraint *k);
/* Keys that come when a new partition is attached get their names. */
void constraints_name_attached(Differ *d, const CatRelation *t);
void constraints_compare(Differ *d, const Change *table, const CatConstraints *from,
                         const CatConstraints *to);
/* What is said about constraints of children goes with that of their parent, where it is made anew. */
void constraints_tell_children(Differ *d);
void constraints_compare_inherited(Differ *d, const CatRelation *from, const CatRelation *to);

/* foreign_keys.c */
typedef VEC(const CatConstraint *) ForeignKeys;
ForeignKeys foreign_keys_of(Differ *d, const CatRelation *r);
void foreign_keys_compare(Differ *d, const Change *table, const CatRelation *x,
                          const CatRelation *y);

/* ---- wishes for renames ---------------------------------------------------------------------- */

typedef struct Wish {
    CatRef old; /* in `from` */
    CatRef now; /* in `to` */
} Wish;

typedef struct Wishes {
    Arena *arena;
    const Catalog *from, *to;
    VEC(Wish) all;
} Wishes;

/* wish.c: an object of a catalog; enum values have `sub`, as columns do. */
bool wish_exists(const Catalog *c, CatRef id);
CatRef wish_whole_of(CatRef part);
bool wish_same(const CatRef *x, CatRef y);
/* The wish for an object of `from`, or of `to`; NULL when there is none. */
const Wish *wish_from(const Wishes *w, CatRef old);
const Wish *wish_to(const Wishes *w, CatRef now);
/* A part under its table's or enum's new name, and under its old one. */
CatRef wish_part_now(const Wishes *w, CatRef part);
CatRef wish_part_was(const Wishes *w, CatRef part);
/* Whether an object of `from` would be dropped. */
bool wish_goes(const Wishes *w, CatRef old);

/* joins.c: adds what follows from the others for tables of implicit many-to-many relations. */
void wishes_follow_joins(Wishes *w, const DiffWishes *in);

/* ---- the stages of a comparison, in their order ---------------------------------------------- */

/* renames.c: replaces `from` by itself under new names. */
void diff_renames(Differ *d);

/* retype.c: adds renames of types that cannot become what they will be. */
void types_make_room(Differ *d, const Catalog *after, CatRenames *applied);

/* partitions.c: adds what takes tables out of a partitioned table and puts them into one, and replaces both sides by
 * what is there in between. */
void diff_partitions(Differ *d);

/* not_null.c: the same where the constraints of children have names of their own. */
void diff_not_nulls(Differ *d);

/* tables.c: the parents that a table keeps: those that come first afterwards, and stood in that order before. */
CatNames table_parents_kept(Differ *d, const CatRelation *x, const CatRelation *y);

/* Each compares its part of the catalogs. */
void diff_enums(Differ *d);
void diff_schemas(Differ *d);
void diff_extensions(Differ *d);
void diff_domains(Differ *d);
void diff_composites(Differ *d);
void diff_plain(Differ *d);
void diff_views(Differ *d);
void diff_tables(Differ *d);

/* After it is known which columns go, and their sequences with them. */
void diff_sequences(Differ *d);

/* remake.c: what stands on what changes. */
void diff_remade(Differ *d);

/* defined.c: types that are made again with their functions; after all is known, what columns that stay
 * use. */
void diff_shells(Differ *d);
void diff_used(Differ *d);

/* let_go.c: what stays, and has to let go of what is dropped and made again. */
void diff_let_go(Differ *d);

/* code.c: triggers, rules, policies, after it is known which relations go. */
void diff_code(Differ *d);

/* refuse.c: what PostgreSQL does not do at all. */
void diff_refuse(Differ *d);
/* Whether a table's rows are written anew, or a value for them is worked out. */
bool change_touches_rows(const Change *c);

/* outside.c: what is not compared, and stands on what changes. */
void diff_outside(Differ *d);

/* effects.c: for changes that are complete. */
void diff_effects(Differ *d);

/* order.c */
void diff_order(Differ *d);

/* types.c: whether what it is made of is the same. */
bool domain_stays(const Differ *d, const CatDomain *x, const CatDomain *y);
const CatConstraint *domain_check(const CatDomain *domain, const char *name);
const CatColumn *composite_attribute(const CatComposite *t, const char *name);

/* enums.c: whether values go away or stand in another order. */
bool enum_is_made_anew(const Differ *d, const CatEnum *x, const CatEnum *y);
