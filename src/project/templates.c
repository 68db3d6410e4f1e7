#include "project/project.h"

#include "project/embedded.h" /* made by the build: project_embedded[] */

#include "base/invariant.h"

static const char *
value_of(Str name, const ProjectVar *vars, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, vars[i].name))
            return vars[i].value;
    invariant_broken(__FILE__, __LINE__, "a placeholder of a template without a value");
}

/* Length of the placeholder "@NAME@" at the beginning of `text`, 0 = there is none. */
static size_t
placeholder(Str text)
{
    size_t n = 1;
    while (n < text.n && ((text.p[n] >= 'A' && text.p[n] <= 'Z') || text.p[n] == '_'))
        n++;
    return n > 1 && n < text.n && text.p[n] == '@' ? n + 1 : 0;
}

static Str
text_of(const char *name)
{
    for (size_t i = 0; i < COUNT(project_embedded); i++)
        if (strcmp(project_embedded[i].name, name) == 0)
            return (Str){project_embedded[i].text, project_embedded[i].n};
    invariant_broken(__FILE__, __LINE__, "a template that does not exist");
}

Str
project_template(Arena *a, const char *name, const ProjectVar *vars, size_t count)
{
    Str text = text_of(name);
    Buf b;
    buf_init(&b, a);
    for (size_t at = 0; at < text.n;) {
        size_t n = text.p[at] == '@' ? placeholder(str_slice(text, at, text.n)) : 0;
        if (n)
            buf_addz(&b, value_of(str_slice(text, at + 1, at + n - 1), vars, count));
        else
            buf_addc(&b, text.p[at]);
        at += n ? n : 1;
    }
    return buf_finish(&b);
}
