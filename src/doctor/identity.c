/* Which database it is: a restored copy and its original have one system identifier, two
 * environments with one URL one name. */
#include "doctor/doctor_int.h"

void
doctor_identity(Doctor *d, Session *s)
{
    const Config *c = d->config;
    d->now = AREA_IDENTITY;
    if (!s || d->is_over) {
        doctor_add(d, FINDING_IDENTITY_DATABASE, SEV_NOTICE, c->env_name, NULL,
                   "not known: the database was not reached");
        return;
    }
    const DbRows *r =
        doctor_ask(d, s, "identity",
                   "SELECT pg_catalog.current_database(), (SELECT x.system_identifier FROM"
                   " pg_catalog.pg_control_system() x)");
    if (r)
        doctor_add(d, FINDING_IDENTITY_DATABASE, SEV_NOTICE, c->env_name, NULL,
                   "database \"%s\" at %s, server %s", doctor_text(d, r, 0, 0),
                   db_info(s->db)->host, doctor_text(d, r, 0, 1));
}
