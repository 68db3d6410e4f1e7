/* The server's checks are three files. */
#pragma once

#include "doctor/doctor_int.h"

/* server_now.c: who does what at this moment, replication, locks. */
void doctor_server_sessions(Doctor *d, Session *s);

/* server_objects.c: indexes, constraints, sequences, transaction ids. */
void doctor_server_objects(Doctor *d, Session *s);
