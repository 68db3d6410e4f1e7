/* English names for relation fields, by the rules of the inflector that `prisma format` uses. */
#pragma once

#include "base/str.h"

/* "BlogPost", "blog_post" -> "blogPost" */
Str plural_camel(Arena *a, Str name);

/* "category" -> "categories" */
Str plural_of(Arena *a, Str word);
