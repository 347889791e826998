
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_event_type.h"


static int event_type_cmp(const char *name, size_t len,
    const clockodo_event_type_t *type);


#define event_type(name, budget)  { name, sizeof(name) - 1, budget }


/*
 * To add an event, add a row, sorted by name, and one to the number of them in
 * the header.  What else has to know it "make lint" and "make test" tell.
 */

const clockodo_event_type_t  clockodo_event_types[] = {
    event_type("absence.approved", 0),
    event_type("absence.created", 0),
    event_type("absence.deleted", 0),
    event_type("absence.updated", 0),
    event_type("customer.created", 0),
    event_type("customer.deleted", 0),
    event_type("customer.updated", 0),
    event_type("entry.created", 0),
    event_type("entry.deleted", 0),
    event_type("entry.started", 0),
    event_type("entry.stopped", 0),
    event_type("entry.updated", 0),
    event_type("holidays_carry.created", 0),
    event_type("holidays_carry.deleted", 0),
    event_type("holidays_carry.updated", 0),
    event_type("holidays_quota.created", 0),
    event_type("holidays_quota.deleted", 0),
    event_type("holidays_quota.updated", 0),
    event_type("lump_sum_service.created", 0),
    event_type("lump_sum_service.deleted", 0),
    event_type("lump_sum_service.updated", 0),
    event_type("nonbusiness_group.created", 0),
    event_type("nonbusiness_group.deleted", 0),
    event_type("nonbusiness_group.updated", 0),
    event_type("overtime_carry.created", 0),
    event_type("overtime_carry.deleted", 0),
    event_type("overtime_carry.updated", 0),
    event_type("project.budget_notification", 1),
    event_type("project.completed", 0),
    event_type("project.created", 0),
    event_type("project.deleted", 0),
    event_type("project.updated", 0),
    event_type("service.created", 0),
    event_type("service.deleted", 0),
    event_type("service.updated", 0),
    event_type("subproject.created", 0),
    event_type("subproject.deleted", 0),
    event_type("subproject.updated", 0),
    event_type("team.created", 0),
    event_type("team.deleted", 0),
    event_type("team.updated", 0),
    event_type("user.created", 0),
    event_type("user.deleted", 0),
    event_type("user.updated", 0),
    event_type("work_time_change_request.created", 0),
    event_type("work_time_change_request.deleted", 0),
    event_type("work_time_change_request.updated", 0)
};


const clockodo_event_type_t *
clockodo_event_type(const char *name, size_t len)
{
    int                           rc;
    size_t                        low, high, mid;
    const clockodo_event_type_t  *type;

    if (len == 0) {
        return NULL;
    }

    low = 0;
    high = CLOCKODO_EVENT_TYPES;

    while (low < high) {
        mid = (low + high) / 2;
        type = &clockodo_event_types[mid];

        /* most differ here already */

        rc = name[0] - type->name[0];

        if (rc == 0) {
            rc = event_type_cmp(name, len, type);

            if (rc == 0) {
                return type;
            }
        }

        if (rc < 0) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return NULL;
}


static int
event_type_cmp(const char *name, size_t len, const clockodo_event_type_t *type)
{
    int  rc;

    rc = memcmp(name, type->name, len < type->len ? len : type->len);

    return rc ? rc : (len > type->len) - (len < type->len);
}


size_t
clockodo_event_entity(const char *name, size_t len)
{
    size_t  i, entity;

    if (len > CLOCKODO_EVENT_NAME_LEN) {
        return 0;
    }

    entity = 0;

    for (i = 0; i < len; i++) {

        if (name[i] == '.' && i > 0 && entity == 0) {
            entity = i;
            continue;
        }

        if (!clockodo_event_char(name[i])) {
            return 0;
        }
    }

    return entity + 1 < len ? entity : 0;
}


int
clockodo_event_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}
