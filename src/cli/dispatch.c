/* The process: its streams, its protection, the command, its exit status. */
#include "cli/cli_int.h"

#include "base/invariant.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* LeakSanitizer reads the process's own memory, which PR_SET_DUMPABLE forbids. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED __has_feature(address_sanitizer)
#else
#define IS_SANITIZED 0
#endif

/* Keep 0, 1 and 2 occupied, so that no file or socket of ours gets one of these numbers and
 * receives what was meant for a stream that the caller closed. */
static void
occupy_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* What is freed goes back to the system: by itself libc keeps ever larger blocks once it has seen one. */
static void
give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

/* Passwords are in memory: no core files, no reading by other processes of the user. Files are for
 * the owner only unless somebody asks for more. */
static void
protect(void)
{
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    if (!IS_SANITIZED) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        prctl(PR_SET_DUMPABLE, 0);
    }
}

static int
print_help(const CmdCall *call)
{
    bool is_asked = call->wants_help;
    Buf text;
    buf_init(&text, call->arena);
    const Term *term = is_asked ? &call->term_out : &call->term_err;
    if (call->spec)
        cli_help_command(&text, term, call->table, call->spec);
    else if (call->word)
        cli_help_word(&text, term, call->table, call->word);
    else
        cli_help_program(&text, term, call->table);
    fwrite(text.p, 1, text.n, is_asked ? call->out : call->err);
    return is_asked ? 0 : err_info(ERR_USAGE)->exit_status;
}

/* What was not understood may stand before --json, so the words themselves are asked. */
static int
usage_error(const CmdCall *call, int argc, char **argv, const Err *err)
{
    bool json = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        json = json || strcmp(argv[i], "--json") == 0;
    const char *usage = call->spec ? cli_usage(call->arena, call->spec) : NULL;
    return cli_fail_usage(call, err, usage, json);
}

static int
run(CmdCall *call)
{
    const char *dir = cli_text(call, "directory");
    if (dir && chdir(dir) != 0) {
        Err err;
        err_set(&err, ERR_IO, "cannot work in folder %s: %s",
                cli_quotable(call->arena, str_of(dir)), strerror(errno));
        return cli_fail(call, &err);
    }
    int status = call->spec->run(call);
    INVARIANT(status >= 0 && status <= 255, "an exit status that no shell can see");
    return status;
}

static void
end_trace(const CmdCall *call)
{
    if (!call->trace)
        return;
    trace_close(call->trace);
    if (call->trace->lost)
        fprintf(call->err, "warning: the trace is not whole: %s\n", strerror(call->trace->lost));
}

/* In place of base/'s own. What a deploy had open the server rolls back. */
void
mem_exhausted(size_t size)
{
    dprintf(STDERR_FILENO,
            "error: out of memory (%zu bytes wanted)\n"
            "  nothing is half done: what was open is rolled back, and the next run goes on\n"
            "  hint: give the process more memory, or make smaller files of a large migration\n",
            size);
    _exit(err_info(ERR_MEMORY)->exit_status);
}

/* Write what is still buffered. A reader that went away (`aramid status | head`) is no error; nor is it
 * one of a command that has changed something when only its words are lost. */
static int
finish(CmdCall *call, int status)
{
    fflush(call->err);
    if ((fflush(call->out) == 0 && !ferror(call->out)) || cli_only_reports(call))
        return status;
    struct pollfd reader = {.fd = fileno(call->out), .events = POLLOUT};
    if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR))
        return status;
    fprintf(call->err,
            "error: cannot write to standard output; only the output is lost: the command itself "
            "ended with status %d\n",
            status);
    return status ? status : err_info(ERR_IO)->exit_status;
}

int
cli_main(const CliTable *table, int argc, char **argv)
{
    occupy_streams();
    give_memory_back();
    protect();
    ARENA_LOCAL(a);
    CmdCall call;
    Err err;
    int status;
    if (!cli_parse(a, table, argc, argv, &call, &err)) {
        status = usage_error(&call, argc, argv, &err);
    } else if (call.wants_version && !call.wants_help) {
        fprintf(call.out, "aramid %s\n", ARAMID_VERSION);
        status = 0;
    } else if (call.wants_help || !call.spec) {
        status = print_help(&call);
    } else {
        status = run(&call);
    }
    end_trace(&call);
    return finish(&call, status);
}
