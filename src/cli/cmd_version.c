/* aramid version. */
#include "cli/commands.h"
#include "base/jw.h"
#include "base/library.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#ifdef NDEBUG
#define BUILD "release"
#else
#define BUILD "debug"
#endif

int
cmd_version(CmdCall *call)
{
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        jw_object(&w, NULL);
        jw_strz(&w, "version", ARAMID_VERSION);
        jw_strz(&w, "build", BUILD);
        jw_strz(&w, "compiler", COMPILER);
        jw_strz(&w, "linkage", library_linkage());
        jw_end(&w);
        cli_print(call, &w.out);
        return 0;
    }
    Buf text;
    buf_init(&text, call->arena);
    buf_addz(&text, "aramid " ARAMID_VERSION "\n");
    if (cli_flag(call, "verbose"))
        buf_fmt(&text,
                "build:      " BUILD "\n"
                "compiler:   " COMPILER "\n"
                "linkage:    %s\n"
                "PostgreSQL: 13 to 18\n",
                library_linkage());
    cli_print(call, &text);
    return 0;
}
