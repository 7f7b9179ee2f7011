/*
 * ldc_command_build.c - the messages of DIMSE: what belongs into each, made and checked
 * (ldc_command.h).
 *
 * One table says what PS3.7 makes mandatory; builders fill in and are then checked by the same
 * table as what comes from the wire.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_command.h"
#include "ltdic.h"

typedef enum data_rule {
    DATA_NEVER,
    DATA_MAY,
    DATA_MUST,
    DATA_PENDING /* has to be there while the status is pending */
} data_rule;

typedef struct message {
    uint16_t field;
    uint8_t data;
    uint32_t needs; /* LDC_HAS_..., besides command field and data set type */
    const char *name;
} message;

#define RSP(field) ((uint16_t)(COMMAND_RESPONSE | (field)))
#define ID         LDC_HAS_MESSAGE_ID
#define ANSWER     (LDC_HAS_RESPONDED_ID | LDC_HAS_STATUS)
#define QUERY      (LDC_HAS_AFFECTED_CLASS | ID | LDC_HAS_PRIORITY)
#define REQUESTED  (LDC_HAS_REQUESTED_CLASS | ID | LDC_HAS_REQUESTED_INSTANCE)
#define REPORT     (LDC_HAS_AFFECTED_CLASS | ID | LDC_HAS_AFFECTED_INSTANCE | LDC_HAS_EVENT_TYPE)

/* PS3.7 §9.3 and §10.3. Class and instance of responses are the user's option (§9.1, §10.1). */
static const message messages[] = {
    {COMMAND_C_STORE, DATA_MUST, QUERY | LDC_HAS_AFFECTED_INSTANCE, "C-STORE-RQ"},
    {RSP(COMMAND_C_STORE), DATA_NEVER, ANSWER, "C-STORE-RSP"},
    {COMMAND_C_GET, DATA_MUST, QUERY, "C-GET-RQ"},
    {RSP(COMMAND_C_GET), DATA_MAY, ANSWER, "C-GET-RSP"},
    {COMMAND_C_FIND, DATA_MUST, QUERY, "C-FIND-RQ"},
    {RSP(COMMAND_C_FIND), DATA_PENDING, ANSWER, "C-FIND-RSP"},
    {COMMAND_C_MOVE, DATA_MUST, QUERY | LDC_HAS_MOVE_DESTINATION, "C-MOVE-RQ"},
    {RSP(COMMAND_C_MOVE), DATA_MAY, ANSWER, "C-MOVE-RSP"},
    {COMMAND_C_ECHO, DATA_NEVER, LDC_HAS_AFFECTED_CLASS | ID, "C-ECHO-RQ"},
    {RSP(COMMAND_C_ECHO), DATA_NEVER, ANSWER, "C-ECHO-RSP"},
    {COMMAND_N_REPORT, DATA_MAY, REPORT, "N-EVENT-REPORT-RQ"},
    {RSP(COMMAND_N_REPORT), DATA_MAY, ANSWER, "N-EVENT-REPORT-RSP"},
    {COMMAND_N_GET, DATA_NEVER, REQUESTED, "N-GET-RQ"},
    {RSP(COMMAND_N_GET), DATA_MAY, ANSWER, "N-GET-RSP"},
    {COMMAND_N_SET, DATA_MUST, REQUESTED, "N-SET-RQ"},
    {RSP(COMMAND_N_SET), DATA_MAY, ANSWER, "N-SET-RSP"},
    {COMMAND_N_ACTION, DATA_MAY, REQUESTED | LDC_HAS_ACTION_TYPE, "N-ACTION-RQ"},
    {RSP(COMMAND_N_ACTION), DATA_MAY, ANSWER, "N-ACTION-RSP"},
    {COMMAND_N_CREATE, DATA_MAY, LDC_HAS_AFFECTED_CLASS | ID, "N-CREATE-RQ"},
    {RSP(COMMAND_N_CREATE), DATA_MAY, ANSWER, "N-CREATE-RSP"},
    {COMMAND_N_DELETE, DATA_NEVER, REQUESTED, "N-DELETE-RQ"},
    {RSP(COMMAND_N_DELETE), DATA_NEVER, ANSWER, "N-DELETE-RSP"},
    {COMMAND_C_CANCEL, DATA_NEVER, LDC_HAS_RESPONDED_ID, "C-CANCEL-RQ"},
};

static const message *find(uint16_t field)
{
    size_t i;

    for (i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (messages[i].field == field)
            return &messages[i];
    }
    return NULL;
}

const char *ldc_command_name(uint16_t field)
{
    const message *found = find(field);

    return found == NULL ? "unknown command" : found->name;
}

/* ---- checking ---- */

/* All that can be mandatory, in the order of the tags. */
static const struct mandatory {
    uint32_t bit;
    uint16_t number;
} mandatories[] = {
    {LDC_HAS_AFFECTED_CLASS, 0x0002},
    {LDC_HAS_REQUESTED_CLASS, 0x0003},
    {LDC_HAS_FIELD, 0x0100},
    {LDC_HAS_MESSAGE_ID, 0x0110},
    {LDC_HAS_RESPONDED_ID, 0x0120},
    {LDC_HAS_MOVE_DESTINATION, 0x0600},
    {LDC_HAS_PRIORITY, 0x0700},
    {LDC_HAS_DATA_SET_TYPE, 0x0800},
    {LDC_HAS_STATUS, 0x0900},
    {LDC_HAS_AFFECTED_INSTANCE, 0x1000},
    {LDC_HAS_REQUESTED_INSTANCE, 0x1001},
    {LDC_HAS_EVENT_TYPE, 0x1002},
    {LDC_HAS_ACTION_TYPE, 0x1008},
};

/* What is there and not empty. */
static uint32_t filled(const ldc_command *command)
{
    uint32_t present = command->present;

    if (command->affected_class[0] == '\0')
        present &= ~(uint32_t)LDC_HAS_AFFECTED_CLASS;
    if (command->requested_class[0] == '\0')
        present &= ~(uint32_t)LDC_HAS_REQUESTED_CLASS;
    if (command->affected_instance[0] == '\0')
        present &= ~(uint32_t)LDC_HAS_AFFECTED_INSTANCE;
    if (command->requested_instance[0] == '\0')
        present &= ~(uint32_t)LDC_HAS_REQUESTED_INSTANCE;
    if (command->move_destination[0] == '\0')
        present &= ~(uint32_t)LDC_HAS_MOVE_DESTINATION;
    return present;
}

/* "C-STORE-RQ lacks (0000,0700) Priority, (0000,1000) Affected SOP Instance UID" */
static int lacks(const char *name, uint32_t missing, ldc_command_fault *fault)
{
    const char *between = "";
    size_t i, length;

    fault->code = DICOM_ERROR_COMMAND_INVALID;
    snprintf(fault->text, sizeof fault->text, "%s lacks", name);
    for (i = 0; i < sizeof mandatories / sizeof *mandatories; i++) {
        if ((missing & mandatories[i].bit) == 0)
            continue;
        length = strlen(fault->text);
        snprintf(fault->text + length, sizeof fault->text - length, "%s (0000,%04X) %s", between,
                 mandatories[i].number, ldc_command_element_name(mandatories[i].number));
        between = ",";
    }
    return fault->code;
}

static bool pending(uint16_t status)
{
    return status == COMMAND_STATUS_PENDING || status == COMMAND_STATUS_PENDING_WARNING;
}

int ldc_command_check(const ldc_command *command, ldc_command_fault *fault)
{
    uint32_t present = filled(command);
    const message *found = find(command->field);
    uint32_t missing;

    if ((present & LDC_HAS_FIELD) == 0)
        return lacks("the command set", LDC_HAS_FIELD, fault);
    if (found == NULL) {
        fault->code = DICOM_ERROR_COMMAND_INVALID;
        snprintf(fault->text, sizeof fault->text, "(0000,0100) Command Field: 0x%04X is unknown",
                 command->field);
        return fault->code;
    }
    missing = (found->needs | LDC_HAS_DATA_SET_TYPE) & ~present;
    if (missing != 0)
        return lacks(found->name, missing, fault);
    if (ldc_command_has_data(command)) {
        if (found->data != DATA_NEVER)
            return DICOM_SUCCESS;
        fault->code = DICOM_ERROR_COMMAND_INVALID;
        snprintf(fault->text, sizeof fault->text,
                 "%s: (0000,0800) is 0x%04X, but this message has no data set", found->name,
                 command->data_set_type);
        return fault->code;
    }
    if (found->data == DATA_MUST || (found->data == DATA_PENDING && pending(command->status))) {
        fault->code = DICOM_ERROR_DATA_SET_MISSING;
        snprintf(fault->text, sizeof fault->text, "%s needs a data set", found->name);
        return fault->code;
    }
    return DICOM_SUCCESS;
}

/* ---- building ---- */

/* A message in the making. The first fault stays. */
typedef struct builder {
    ldc_command *command;
    ldc_command_fault *fault;
    int rc;
} builder;

static builder begin(ldc_command *command, uint16_t field, bool data, ldc_command_fault *fault)
{
    ldc_command_init(command);
    command->present = LDC_HAS_FIELD | LDC_HAS_DATA_SET_TYPE;
    command->field = field;
    command->data_set_type = data ? COMMAND_DATASET_PRESENT : COMMAND_DATASET_ABSENT;
    return (builder){command, fault, DICOM_SUCCESS};
}

static void put(builder *build, uint32_t bit, uint16_t *member, uint16_t value)
{
    build->command->present |= bit;
    *member = value;
}

/* NULL and "" are left out; what is mandatory is found missing by finish(). */
static void put_text(builder *build, uint32_t bit, char *member, const char *text, bool ae)
{
    if (text == NULL || *text == '\0' || build->rc != DICOM_SUCCESS)
        return;
    if (ae ? !ldc_command_is_ae(text) : !ldc_command_is_uid(text)) {
        build->rc = build->fault->code = DICOM_ERROR_PARAMETER;
        snprintf(build->fault->text, sizeof build->fault->text, "%s: not %s: %.80s",
                 ldc_command_name(build->command->field), ae ? "an AE title" : "a UID", text);
        return;
    }
    build->command->present |= bit;
    memcpy(member, text, strlen(text) + 1); /* fits: its length was looked at above */
}

static void put_affected(builder *build, const char *class_uid, const char *instance)
{
    ldc_command *command = build->command;

    put_text(build, LDC_HAS_AFFECTED_CLASS, command->affected_class, class_uid, false);
    put_text(build, LDC_HAS_AFFECTED_INSTANCE, command->affected_instance, instance, false);
}

static void put_requested(builder *build, const char *class_uid, const char *instance)
{
    ldc_command *command = build->command;

    put_text(build, LDC_HAS_REQUESTED_CLASS, command->requested_class, class_uid, false);
    put_text(build, LDC_HAS_REQUESTED_INSTANCE, command->requested_instance, instance, false);
}

static builder request(ldc_command *command, uint16_t field, uint16_t id, bool data,
                       ldc_command_fault *fault)
{
    builder build = begin(command, field, data, fault);

    put(&build, LDC_HAS_MESSAGE_ID, &command->message_id, id);
    return build;
}

static builder response(ldc_command *command, uint16_t field, uint16_t id, const char *class_uid,
                        const char *instance, uint16_t status, bool data, ldc_command_fault *fault)
{
    builder build = begin(command, RSP(field), data, fault);

    put(&build, LDC_HAS_RESPONDED_ID, &command->responded_id, id);
    put(&build, LDC_HAS_STATUS, &command->status, status);
    put_affected(&build, class_uid, instance);
    return build;
}

static int finish(builder *build)
{
    if (build->rc == DICOM_SUCCESS)
        build->rc = ldc_command_check(build->command, build->fault);
    if (build->rc == DICOM_ERROR_COMMAND_INVALID) /* our own user's fault, not a peer's */
        build->rc = build->fault->code = DICOM_ERROR_PARAMETER;
    if (build->rc != DICOM_SUCCESS)
        ldc_command_free(build->command);
    return build->rc;
}

/* C-FIND-RQ, C-GET-RQ, and the beginning of the others with a priority. */
static builder query(ldc_command *command, uint16_t field, uint16_t id, const char *class_uid,
                     uint16_t priority, bool data, ldc_command_fault *fault)
{
    builder build = request(command, field, id, data, fault);

    put_affected(&build, class_uid, NULL);
    put(&build, LDC_HAS_PRIORITY, &command->priority, priority);
    return build;
}

int ldc_command_c_store_rq(ldc_command *command, uint16_t id, const char *class_uid,
                           const char *instance, uint16_t priority, const char *originator,
                           uint16_t originator_id, bool data, ldc_command_fault *fault)
{
    builder build = query(command, COMMAND_C_STORE, id, class_uid, priority, data, fault);

    put_affected(&build, NULL, instance);
    put_text(&build, LDC_HAS_ORIGINATOR, command->originator, originator, true);
    if ((command->present & LDC_HAS_ORIGINATOR) != 0)
        put(&build, LDC_HAS_ORIGINATOR_ID, &command->originator_id, originator_id);
    return finish(&build);
}

int ldc_command_c_store_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, uint16_t status, ldc_command_fault *fault)
{
    builder build =
        response(command, COMMAND_C_STORE, id, class_uid, instance, status, false, fault);

    return finish(&build);
}

int ldc_command_c_find_rq(ldc_command *command, uint16_t id, const char *class_uid,
                          uint16_t priority, bool data, ldc_command_fault *fault)
{
    builder build = query(command, COMMAND_C_FIND, id, class_uid, priority, data, fault);

    return finish(&build);
}

int ldc_command_c_find_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                           uint16_t status, bool data, ldc_command_fault *fault)
{
    builder build = response(command, COMMAND_C_FIND, id, class_uid, NULL, status, data, fault);

    return finish(&build);
}

int ldc_command_c_get_rq(ldc_command *command, uint16_t id, const char *class_uid,
                         uint16_t priority, bool data, ldc_command_fault *fault)
{
    builder build = query(command, COMMAND_C_GET, id, class_uid, priority, data, fault);

    return finish(&build);
}

int ldc_command_c_move_rq(ldc_command *command, uint16_t id, const char *class_uid,
                          uint16_t priority, const char *destination, bool data,
                          ldc_command_fault *fault)
{
    builder build = query(command, COMMAND_C_MOVE, id, class_uid, priority, data, fault);

    put_text(&build, LDC_HAS_MOVE_DESTINATION, command->move_destination, destination, true);
    return finish(&build);
}

static int counted(builder *build, uint16_t remaining, uint16_t completed, uint16_t failed,
                   uint16_t warning)
{
    ldc_command *command = build->command;

    if (pending(command->status) || command->status == COMMAND_STATUS_CANCEL)
        put(build, LDC_HAS_REMAINING, &command->remaining, remaining);
    put(build, LDC_HAS_COMPLETED, &command->completed, completed);
    put(build, LDC_HAS_FAILED, &command->failed, failed);
    put(build, LDC_HAS_WARNING, &command->warning, warning);
    return finish(build);
}

int ldc_command_c_get_rsp(ldc_command *command, uint16_t id, const char *class_uid, uint16_t status,
                          uint16_t remaining, uint16_t completed, uint16_t failed, uint16_t warning,
                          bool data, ldc_command_fault *fault)
{
    builder build = response(command, COMMAND_C_GET, id, class_uid, NULL, status, data, fault);

    return counted(&build, remaining, completed, failed, warning);
}

int ldc_command_c_move_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                           uint16_t status, uint16_t remaining, uint16_t completed, uint16_t failed,
                           uint16_t warning, bool data, ldc_command_fault *fault)
{
    builder build = response(command, COMMAND_C_MOVE, id, class_uid, NULL, status, data, fault);

    return counted(&build, remaining, completed, failed, warning);
}

int ldc_command_c_cancel_rq(ldc_command *command, uint16_t id, ldc_command_fault *fault)
{
    builder build = begin(command, COMMAND_C_CANCEL, false, fault);

    put(&build, LDC_HAS_RESPONDED_ID, &command->responded_id, id);
    return finish(&build);
}

int ldc_command_c_echo_rq(ldc_command *command, uint16_t id, const char *class_uid,
                          ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_C_ECHO, id, false, fault);

    put_affected(&build, class_uid, NULL);
    return finish(&build);
}

int ldc_command_c_echo_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                           uint16_t status, ldc_command_fault *fault)
{
    builder build = response(command, COMMAND_C_ECHO, id, class_uid, NULL, status, false, fault);

    return finish(&build);
}

int ldc_command_n_event_report_rq(ldc_command *command, uint16_t id, const char *class_uid,
                                  const char *instance, uint16_t event, bool data,
                                  ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_N_REPORT, id, data, fault);

    put_affected(&build, class_uid, instance);
    put(&build, LDC_HAS_EVENT_TYPE, &command->event_type, event);
    return finish(&build);
}

int ldc_command_n_event_report_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                                   const char *instance, uint16_t status, uint16_t event, bool data,
                                   ldc_command_fault *fault)
{
    builder build =
        response(command, COMMAND_N_REPORT, id, class_uid, instance, status, data, fault);

    put(&build, LDC_HAS_EVENT_TYPE, &command->event_type, event);
    return finish(&build);
}

int ldc_command_n_get_rq(ldc_command *command, uint16_t id, const char *class_uid,
                         const char *instance, const uint32_t *attributes, size_t count,
                         ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_N_GET, id, false, fault);

    put_requested(&build, class_uid, instance);
    if (count > 0 && build.rc == DICOM_SUCCESS) {
        command->attributes.tags = calloc(count, sizeof *attributes);
        if (command->attributes.tags == NULL) {
            build.rc = fault->code = DICOM_ERROR_MEMORY;
            snprintf(fault->text, sizeof fault->text, "not enough memory for a command set");
        } else {
            memcpy(command->attributes.tags, attributes, count * sizeof *attributes);
            command->attributes.count = count;
            command->present |= LDC_HAS_ATTRIBUTES;
        }
    }
    return finish(&build);
}

int ldc_command_n_get_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                          const char *instance, uint16_t status, bool data,
                          ldc_command_fault *fault)
{
    builder build = response(command, COMMAND_N_GET, id, class_uid, instance, status, data, fault);

    return finish(&build);
}

int ldc_command_n_set_rq(ldc_command *command, uint16_t id, const char *class_uid,
                         const char *instance, bool data, ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_N_SET, id, data, fault);

    put_requested(&build, class_uid, instance);
    return finish(&build);
}

int ldc_command_n_set_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                          const char *instance, uint16_t status, bool data,
                          ldc_command_fault *fault)
{
    builder build = response(command, COMMAND_N_SET, id, class_uid, instance, status, data, fault);

    return finish(&build);
}

int ldc_command_n_action_rq(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, uint16_t action, bool data,
                            ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_N_ACTION, id, data, fault);

    put_requested(&build, class_uid, instance);
    put(&build, LDC_HAS_ACTION_TYPE, &command->action_type, action);
    return finish(&build);
}

int ldc_command_n_action_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                             const char *instance, uint16_t status, uint16_t action, bool data,
                             ldc_command_fault *fault)
{
    builder build =
        response(command, COMMAND_N_ACTION, id, class_uid, instance, status, data, fault);

    put(&build, LDC_HAS_ACTION_TYPE, &command->action_type, action);
    return finish(&build);
}

int ldc_command_n_create_rq(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, bool data, ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_N_CREATE, id, data, fault);

    put_affected(&build, class_uid, instance);
    return finish(&build);
}

int ldc_command_n_create_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                             const char *instance, uint16_t status, bool data,
                             ldc_command_fault *fault)
{
    builder build =
        response(command, COMMAND_N_CREATE, id, class_uid, instance, status, data, fault);

    return finish(&build);
}

int ldc_command_n_delete_rq(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, ldc_command_fault *fault)
{
    builder build = request(command, COMMAND_N_DELETE, id, false, fault);

    put_requested(&build, class_uid, instance);
    return finish(&build);
}

int ldc_command_n_delete_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                             const char *instance, uint16_t status, ldc_command_fault *fault)
{
    builder build =
        response(command, COMMAND_N_DELETE, id, class_uid, instance, status, false, fault);

    return finish(&build);
}

int ldc_command_refusal(ldc_command *command, const ldc_command *request, ldc_command_fault *fault)
{
    const char *instance = ldc_command_instance(request);
    uint16_t status;

    switch (request->field) {
    case COMMAND_C_STORE: /* PS3.4 B.2.3 */
    case COMMAND_C_FIND:  /* PS3.4 C.4.1.1.4 */
        status = COMMAND_STATUS_REFUSED_OUT_OF_RESOURCES;
        break;
    case COMMAND_C_MOVE: /* PS3.4 C.4.2.1.5 */
    case COMMAND_C_GET:
        status = COMMAND_STATUS_REFUSED_UNABLE_TO_PERFORM_SUBOPERATIONS;
        break;
    case COMMAND_N_REPORT:
    case COMMAND_N_SET:
    case COMMAND_N_ACTION:
    case COMMAND_N_CREATE: /* PS3.7 Annex C: resource limitation */
        status = COMMAND_STATUS_RESOURCE_LIMITATION;
        break;
    default:
        ldc_command_init(command);
        fault->code = DICOM_ERROR_PARAMETER;
        snprintf(fault->text, sizeof fault->text, "%s is no request with a data set",
                 ldc_command_name(request->field));
        return fault->code;
    }
    builder build =
        response(command, request->field, request->message_id, ldc_command_class(request),
                 instance[0] == '\0' ? NULL : instance, status, false, fault);
    return finish(&build);
}
