/* What stands in a database on something that a script takes away. */
#pragma once

#include "base/vec.h"

#include <stdbool.h>

/* Names that can meet are of one kind. */
typedef enum StandKind {
    STAND_RELATION = 'r', /* tables, views, indexes, sequences, types, domains */
    STAND_COLUMN = 'c',   /* sub = its name; also its default */
    STAND_PART = 'p',     /* sub: a constraint, trigger, policy or rule of a relation */
    STAND_FUNCTION = 'f', /* by its name only */
    STAND_SCHEMA = 's',   /* schema "" */
    STAND_EXTENSION = 'e',
    STAND_TYPE = 't', /* all whose `type` has this name */
    STAND_OTHER = 'o',
} StandKind;

typedef struct StandName {
    StandKind kind;
    const char *schema, *name, *sub; /* never NULL; "" where there is none */
} StandName;

/* What goes, or is a column that gets another type. */
typedef struct StandGone {
    StandName what;
    bool is_retyped, is_cascade;
} StandGone;
typedef VEC(StandGone) StandGones;

/* What is in the way of that, or goes with it. */
typedef struct Standing {
    size_t of; /* index of what goes */
    StandName what;
    const char *type, *identity;      /* for people: "view", "o.v" */
    const char *owner_schema, *owner; /* the relation that it goes with; "" = none */
} Standing;
typedef VEC(Standing) Standings;
