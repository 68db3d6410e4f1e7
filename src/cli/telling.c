#include "cli/telling.h"

#include "cli/run.h"

void
cli_word(CmdCall *call, const Config *config, WordKind kind, const DbInfo *server, Word *ret)
{
    const FlowInput in = cli_flow_input(call, config);
    flow_word_begin(call->arena, &in, kind, kind == WORD_PLANNED ? "deploy" : "check", ret);
    ret->database = server ? server->database : NULL;
    ret->host = server ? server->host : NULL;
}

void
cli_word_send(CmdCall *call, const Config *config, const Word *w)
{
    const FlowInput in = cli_flow_input(call, config);
    Progress *progress = cli_progress(call, config);
    const RunSink sink = progress_sink(progress, NULL);
    Err never; /* a word that no run waits for */
    (void)!flow_word(call->arena, &in, &sink, w, &never);
    progress_finish(progress);
}
