/*
 * ldc_command.h - DIMSE command sets: bytes in, a plain structure out, and back (PS3.7 §6.3, §9.3,
 * §10.3, Annex E).
 *
 * The one rule: what is not exactly a command set is refused with a sentence that names the
 * element. Group length right, tags of group 0000 only, ascending, no tag twice, lengths even and
 * inside, UIDs and AE titles made of the characters of their VR. So a UID that comes out of here is
 * digits and single dots between digits, never a path. (An AE title may hold '/': it is still no
 * file name.)
 *
 * Pure: no I/O, no locks. Functions on different commands run on any threads.
 */
#ifndef LDC_COMMAND_H
#define LDC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LDC_COMMAND_LIMIT = 64 * 1024, /* bytes of an encoded command set, the group length included */
    LDC_COMMAND_UID = 65,          /* with the NUL */
    LDC_COMMAND_AE = 17,           /* with the NUL */
    LDC_COMMAND_COMMENT = 257,     /* with the NUL; 64 characters may be more bytes */
    LDC_COMMAND_FAULT = 256
};

/* Which elements are there, by bit, in the order of the tags. */
enum {
    LDC_HAS_AFFECTED_CLASS = 1 << 0,      /* (0000,0002) */
    LDC_HAS_REQUESTED_CLASS = 1 << 1,     /* (0000,0003) */
    LDC_HAS_FIELD = 1 << 2,               /* (0000,0100) */
    LDC_HAS_MESSAGE_ID = 1 << 3,          /* (0000,0110) */
    LDC_HAS_RESPONDED_ID = 1 << 4,        /* (0000,0120) */
    LDC_HAS_MOVE_DESTINATION = 1 << 5,    /* (0000,0600) */
    LDC_HAS_PRIORITY = 1 << 6,            /* (0000,0700) */
    LDC_HAS_DATA_SET_TYPE = 1 << 7,       /* (0000,0800) */
    LDC_HAS_STATUS = 1 << 8,              /* (0000,0900) */
    LDC_HAS_OFFENDING = 1 << 9,           /* (0000,0901) */
    LDC_HAS_ERROR_COMMENT = 1 << 10,      /* (0000,0902) */
    LDC_HAS_ERROR_ID = 1 << 11,           /* (0000,0903) */
    LDC_HAS_AFFECTED_INSTANCE = 1 << 12,  /* (0000,1000) */
    LDC_HAS_REQUESTED_INSTANCE = 1 << 13, /* (0000,1001) */
    LDC_HAS_EVENT_TYPE = 1 << 14,         /* (0000,1002) */
    LDC_HAS_ATTRIBUTES = 1 << 15,         /* (0000,1005) */
    LDC_HAS_ACTION_TYPE = 1 << 16,        /* (0000,1008) */
    LDC_HAS_REMAINING = 1 << 17,          /* (0000,1020) */
    LDC_HAS_COMPLETED = 1 << 18,          /* (0000,1021) */
    LDC_HAS_FAILED = 1 << 19,             /* (0000,1022) */
    LDC_HAS_WARNING = 1 << 20,            /* (0000,1023) */
    LDC_HAS_ORIGINATOR = 1 << 21,         /* (0000,1030) */
    LDC_HAS_ORIGINATOR_ID = 1 << 22       /* (0000,1031) */
};

/* A list of tags, each group << 16 | element. */
typedef struct ldc_command_tags {
    uint32_t *tags; /* own, from malloc; NULL when count is 0 */
    size_t count;
} ldc_command_tags;

/* What is not `present` is 0, "" or empty. A string may be present and empty. */
typedef struct ldc_command {
    uint32_t present;       /* LDC_HAS_... */
    uint16_t field;         /* COMMAND_..., with COMMAND_RESPONSE in a response */
    uint16_t message_id;    /* of a request */
    uint16_t responded_id;  /* of a response, and of C-CANCEL-RQ: the request meant */
    uint16_t priority;      /* COMMAND_PRIORITY_..., other numbers as they came */
    uint16_t data_set_type; /* COMMAND_DATASET_ABSENT, anything else: a data set follows */
    uint16_t status;
    uint16_t error_id;
    uint16_t event_type;
    uint16_t action_type;
    uint16_t remaining, completed, failed, warning; /* sub-operations */
    uint16_t originator_id; /* message id of the C-MOVE-RQ behind a C-STORE */
    char affected_class[LDC_COMMAND_UID], requested_class[LDC_COMMAND_UID];
    char affected_instance[LDC_COMMAND_UID], requested_instance[LDC_COMMAND_UID];
    char move_destination[LDC_COMMAND_AE];   /* without the spaces around it; likewise: */
    char originator[LDC_COMMAND_AE];         /* AE title of the C-MOVE-RQ behind a C-STORE */
    char error_comment[LDC_COMMAND_COMMENT]; /* bytes as they came, any: escape them for a log */
    ldc_command_tags offending, attributes;
    uint8_t *others; /* own, from malloc: all other elements of group 0000, encoded, ascending */
    size_t others_length;
} ldc_command;

/* Why something was refused: a DICOM_ERROR_... code and a sentence of one line, in ASCII. */
typedef struct ldc_command_fault {
    int code;
    char text[LDC_COMMAND_FAULT];
} ldc_command_fault;

/* An empty command owns nothing. Freeing makes it empty again. */
void ldc_command_init(ldc_command *command);
void ldc_command_free(ldc_command *command);

/* Reads a whole command set. Writes over *command without freeing what it held; on failure it is
 * empty. The bytes are not needed afterwards. DICOM_ERROR_COMMAND_INVALID or _MEMORY, in *fault
 * too.
 *
 * Taken though PS3.5 says otherwise, because it is in the field and harms nobody: a UID padded with
 * a space in place of a NUL, or with a component that begins with 0; an error comment that is too
 * long (cut). No element is required here: see ldc_command_check(). */
int ldc_command_decode(ldc_command *command, const uint8_t *bytes, size_t length,
                       ldc_command_fault *fault);

/* Writes the command set. The caller frees the bytes with free(). NULL: *fault says why
 * (DICOM_ERROR_COMMAND_INVALID for a value that does not fit its VR or the limit, or _MEMORY). */
uint8_t *ldc_command_encode(const ldc_command *command, size_t *length, ldc_command_fault *fault);

/* Whether the text is a UID or AE title by its VR, as above; "" is neither. AE titles may have
 * spaces around them. */
bool ldc_command_is_uid(const char *text);
bool ldc_command_is_ae(const char *text);

/* Sets the error comment: the first 64 characters, '?' for each that LO of the default repertoire
 * does not have. NULL or "" takes it away. */
void ldc_command_set_comment(ldc_command *command, const char *text);

/* "C-STORE-RQ", "N-EVENT-REPORT-RSP"; "unknown command". */
const char *ldc_command_name(uint16_t field);
/* "Affected SOP Class UID" of 0x0002; "unknown element". */
const char *ldc_command_element_name(uint16_t element);

/* Whether a data set follows the command set. */
bool ldc_command_has_data(const ldc_command *command);
/* Affected or requested, whichever is there; "" if neither. Lent. */
const char *ldc_command_class(const ldc_command *command);
const char *ldc_command_instance(const ldc_command *command);
/* The message id of a request, of a response (and C-CANCEL-RQ) that of the request meant. */
uint16_t ldc_command_id(const ldc_command *command);

/* ---- messages: ldc_command_build.c ---- */

/* Looks whether a received command is a known one, has all that PS3.7 makes mandatory for it, and
 * announces a data set where there has to be one and none where there never is. DICOM_SUCCESS,
 * DICOM_ERROR_COMMAND_INVALID (the text names the message and all elements that are missing or
 * empty) or DICOM_ERROR_DATA_SET_MISSING. */
int ldc_command_check(const ldc_command *command, ldc_command_fault *fault);

/* One builder for each message, with the elements of PS3.7 §9.3 and §10.3. `id` is the message id,
 * of a response that of its request. `data`: a data set follows. Strings are copied; an instance
 * that is optional may be "" or NULL and is left out then, and so are class and instance of
 * responses.
 *
 * Writes over *command without freeing what it held; on failure it is empty. Only N-GET-RQ with
 * attributes allocates. DICOM_ERROR_PARAMETER (a value is missing or not of its VR),
 * _DATA_SET_MISSING (the message needs one), _MEMORY. A data set is announced with
 * COMMAND_DATASET_PRESENT; whoever wants _IDENTIFIER there sets it afterwards. */
int ldc_command_c_store_rq(ldc_command *command, uint16_t id, const char *class_uid,
                           const char *instance, uint16_t priority, const char *originator,
                           uint16_t originator_id, bool data, ldc_command_fault *fault);
int ldc_command_c_store_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, uint16_t status, ldc_command_fault *fault);
int ldc_command_c_find_rq(ldc_command *command, uint16_t id, const char *class_uid,
                          uint16_t priority, bool data, ldc_command_fault *fault);
int ldc_command_c_find_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                           uint16_t status, bool data, ldc_command_fault *fault);
int ldc_command_c_get_rq(ldc_command *command, uint16_t id, const char *class_uid,
                         uint16_t priority, bool data, ldc_command_fault *fault);
int ldc_command_c_move_rq(ldc_command *command, uint16_t id, const char *class_uid,
                          uint16_t priority, const char *destination, bool data,
                          ldc_command_fault *fault);

/* `remaining` goes out only while the operation is pending, and when it was cancelled: PS3.4
 * C.4.2.1.6, C.4.3.1.4. */
int ldc_command_c_get_rsp(ldc_command *command, uint16_t id, const char *class_uid, uint16_t status,
                          uint16_t remaining, uint16_t completed, uint16_t failed, uint16_t warning,
                          bool data, ldc_command_fault *fault);
int ldc_command_c_move_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                           uint16_t status, uint16_t remaining, uint16_t completed, uint16_t failed,
                           uint16_t warning, bool data, ldc_command_fault *fault);
int ldc_command_c_cancel_rq(ldc_command *command, uint16_t id, ldc_command_fault *fault);
int ldc_command_c_echo_rq(ldc_command *command, uint16_t id, const char *class_uid,
                          ldc_command_fault *fault);
int ldc_command_c_echo_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                           uint16_t status, ldc_command_fault *fault);

int ldc_command_n_event_report_rq(ldc_command *command, uint16_t id, const char *class_uid,
                                  const char *instance, uint16_t event, bool data,
                                  ldc_command_fault *fault);
int ldc_command_n_event_report_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                                   const char *instance, uint16_t status, uint16_t event, bool data,
                                   ldc_command_fault *fault);
/* `attributes` may be NULL when `count` is 0: all attributes, the element is left out. */
int ldc_command_n_get_rq(ldc_command *command, uint16_t id, const char *class_uid,
                         const char *instance, const uint32_t *attributes, size_t count,
                         ldc_command_fault *fault);
int ldc_command_n_get_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                          const char *instance, uint16_t status, bool data,
                          ldc_command_fault *fault);
int ldc_command_n_set_rq(ldc_command *command, uint16_t id, const char *class_uid,
                         const char *instance, bool data, ldc_command_fault *fault);
int ldc_command_n_set_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                          const char *instance, uint16_t status, bool data,
                          ldc_command_fault *fault);
int ldc_command_n_action_rq(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, uint16_t action, bool data,
                            ldc_command_fault *fault);
int ldc_command_n_action_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                             const char *instance, uint16_t status, uint16_t action, bool data,
                             ldc_command_fault *fault);
int ldc_command_n_create_rq(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, bool data, ldc_command_fault *fault);
int ldc_command_n_create_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                             const char *instance, uint16_t status, bool data,
                             ldc_command_fault *fault);
int ldc_command_n_delete_rq(ldc_command *command, uint16_t id, const char *class_uid,
                            const char *instance, ldc_command_fault *fault);
int ldc_command_n_delete_rsp(ldc_command *command, uint16_t id, const char *class_uid,
                             const char *instance, uint16_t status, ldc_command_fault *fault);

/* The response that refuses a request with a data set for want of resources: the status that
 * PS3.4 (A700, A702) or PS3.7 (0213) has for its service. DICOM_ERROR_PARAMETER for what is no such
 * request. */
int ldc_command_refusal(ldc_command *command, const ldc_command *request, ldc_command_fault *fault);

#endif
