/* Rules of relations that look at more than one of them. */
#pragma once

#include "psl/validate_int.h"

/* Relation fields between the same two models that no relation name tells apart. Their relations
 * are marked as broken. */
void v_check_ambiguity(Ctx *c);

/* Cycles of referential actions, which relationMode = "prisma" cannot carry out. */
void v_check_cycles(Ctx *c);
