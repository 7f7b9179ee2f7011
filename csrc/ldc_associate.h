/*
 * ldc_associate.h - what an A-ASSOCIATE-RQ or -AC says, as an object: the HDICOMPDU of ltdic.h.
 *
 * The object holds what the program set or the peer sent; nothing here knows the wire (that is
 * ldc_pdu_encode.c and ldc_pdu_decode.c). Texts are checked when they are set, so that whatever is
 * in an object is safe to print and to copy into another one; what only the wire forbids (a title
 * of 17 characters, a request without contexts) is found on encoding.
 *
 * Ownership: the object owns all it points to. Setters copy. Getters lend until the next change.
 * Not thread safe: one thread at a time.
 *
 * Functions that give an int give DICOM_SUCCESS or a DICOM_ERROR_... code, said by ldc_error().
 */
#ifndef LDC_ASSOCIATE_H
#define LDC_ASSOCIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ldc_uid.h"

enum {
    LDC_TITLE_LENGTH = 16,      /* PS3.8 Table 9-11 */
    LDC_VERSION_NAME_SIZE = 17, /* PS3.7 §D.3.3.2.3: 16 characters, and the NUL */
    LDC_CONTEXTS = 128,         /* as many as there are odd numbers in a byte */
    LDC_CLASSES = 128,          /* items for SOP classes, one for each context at most */
    LDC_ITEM_LENGTH = 0xFFFF,   /* item lengths have 16 bits */
    LDC_WIRE_SIZE = 64,         /* called and calling title and the 32 reserved bytes */
    LDC_DEFAULT_MAX_LENGTH = 262144
};

/* The DICOM application context, PS3.7 §A.2.1, and Implicit VR Little Endian. */
#define LDC_APPLICATION_CONTEXT "1.2.840.10008.3.1.1.1"
#define LDC_IMPLICIT_LITTLE     "1.2.840.10008.1.2"
/* Ours: the UUID 9a862866-4d99-470e-8b67-799f254775f1 as PS3.5 §B.2 says, drawn once. */
#define LDC_IMPLEMENTATION_CLASS "2.25.205397698531593080814153206773410395633"

/* Types of the user-information sub-items that have members below (PS3.8 Annex D, PS3.7 §D.3.3). */
enum {
    LDC_ITEM_MAX_LENGTH = 0x51,
    LDC_ITEM_IMPLEMENTATION_CLASS = 0x52,
    LDC_ITEM_ASYNC_OPERATIONS = 0x53,
    LDC_ITEM_ROLE = 0x54,
    LDC_ITEM_IMPLEMENTATION_VERSION = 0x55,
    LDC_ITEM_EXTENDED = 0x56,
    LDC_ITEM_COMMON_EXTENDED = 0x57,
    LDC_ITEM_IDENTITY = 0x58,
    LDC_ITEM_IDENTITY_RESPONSE = 0x59
};

typedef struct ldc_block {
    uint8_t *bytes; /* own; NULL when length is 0 */
    size_t length;  /* at most LDC_ITEM_LENGTH */
} ldc_block;

typedef struct ldc_context {
    uint8_t id;                  /* odd */
    uint8_t result;              /* PDU_ACCEPT_RESULT_...; means something in an accept only */
    char abstract[LDC_UID_SIZE]; /* "" only in an accept */
    ldc_uid_list transfers;      /* in order; of an accepted context the first is the one agreed */
} ldc_context;

typedef struct ldc_role { /* PS3.7 §D.3.3.4; by SOP class, as on the wire */
    char class_uid[LDC_UID_SIZE];
    uint8_t user, provider; /* 0, 1 */
} ldc_role;

typedef struct ldc_extended { /* PS3.7 §D.3.3.5 */
    char class_uid[LDC_UID_SIZE];
    ldc_block data;
} ldc_extended;

typedef struct ldc_common { /* PS3.7 §D.3.3.6 */
    char class_uid[LDC_UID_SIZE];
    char service_uid[LDC_UID_SIZE];
    ldc_uid_list related;
} ldc_common;

typedef struct ldc_user_item {
    uint8_t type;
    ldc_block data;
} ldc_user_item;

typedef struct ldc_associate {
    uint32_t magic; /* ldc_associate_alive() */
    bool request;
    uint16_t version;
    char *called, *calling; /* own; "" = NULL. Spaces around are gone. Any length, until encoded */
    char application[LDC_UID_SIZE];
    bool has_max_length;
    uint32_t max_length;                                /* 0 = no limit, or not said */
    char implementation_class[LDC_UID_SIZE];            /* "" = ours is sent */
    char implementation_version[LDC_VERSION_NAME_SIZE]; /* "" = not sent */
    bool has_async;
    uint16_t invoked, performed; /* 0 = no limit */
    ldc_context *contexts;
    size_t context_count;
    ldc_role *roles;
    size_t role_count;
    ldc_extended *extended;
    size_t extended_count;
    ldc_common *common;
    size_t common_count;
    bool has_identity; /* PS3.7 §D.3.3.7 */
    uint8_t identity_type;
    bool identity_response_wanted;
    ldc_block identity_primary, identity_secondary;
    bool has_identity_response;
    ldc_block identity_response;
    ldc_user_item *items; /* the other user-information sub-items, in order */
    size_t item_count;
    bool has_wire; /* a received request: bytes 11..74, which its accept repeats (Table 9-17) */
    uint8_t wire[LDC_WIRE_SIZE];
} ldc_associate;

/* ---- life ---- */

/* A new object as new ones are in LEADTOOLS: version 1, DICOM's application context, maximum length
 * 262144, our class UID and version name, no contexts, empty titles. NULL: out of memory. */
ldc_associate *ldc_associate_create(bool request);
void ldc_associate_free(ldc_associate *associate); /* NULL is fine */
ldc_associate *ldc_associate_clone(const ldc_associate *associate);
/* Whether the pointer is one of ours that has not been freed, as far as a look at its first bytes
 * tells. False for NULL. */
bool ldc_associate_alive(const ldc_associate *associate);

/* Back to the values of a new object of the same kind. */
void ldc_associate_default(ldc_associate *associate);
/* To a new object of the kind `request`. A request that becomes an accept keeps what an accept has
 * to repeat: version, titles, application context. */
void ldc_associate_reset(ldc_associate *associate, bool request);
/* Nothing at all in it: for the decoder. */
void ldc_associate_clear(ldc_associate *associate);

/* ---- fixed fields ---- */

int ldc_associate_set_title(ldc_associate *associate, bool called, const char *title);
const char *ldc_associate_title(const ldc_associate *associate, bool called);
int ldc_associate_set_application(ldc_associate *associate, const char *uid);
int ldc_associate_set_implementation_class(ldc_associate *associate, const char *uid);
int ldc_associate_set_implementation_version(ldc_associate *associate, const char *name);

/* ---- presentation contexts ---- */

/* NULL: there is none with this id. Lent until contexts are added or deleted. */
ldc_context *ldc_associate_context(const ldc_associate *associate, uint8_t id);
/* Whether the transfer syntax is one of the context's. */
bool ldc_context_offers(const ldc_context *context, const char *uid);
int ldc_associate_add_context(ldc_associate *associate, uint8_t id, uint8_t result,
                              const char *abstract);
int ldc_associate_set_context(ldc_associate *associate, uint8_t id, uint8_t result,
                              const char *abstract);
/* With the last context of a SOP class go its role selection and extended negotiation. */
int ldc_associate_delete_context(ldc_associate *associate, uint8_t id);
int ldc_associate_add_transfer(ldc_associate *associate, uint8_t id, const char *uid);
/* The id of the first context with this class after context `after` (0 = from the start); 0: none.
 */
uint8_t ldc_associate_find(const ldc_associate *associate, uint8_t after, const char *abstract);

/* ---- items of user information (ldc_associate_items.c) ---- */

const ldc_role *ldc_associate_role(const ldc_associate *associate, const char *class_uid);
int ldc_associate_put_role(ldc_associate *associate, const char *class_uid, uint8_t user,
                           uint8_t provider);
void ldc_associate_drop_role(ldc_associate *associate, const char *class_uid);

const ldc_extended *ldc_associate_extended(const ldc_associate *associate, const char *class_uid);
int ldc_associate_put_extended(ldc_associate *associate, const char *class_uid, const void *data,
                               size_t length);
void ldc_associate_drop_extended(ldc_associate *associate, const char *class_uid);

/* Replaces what there was for the class; its related classes are gone then. */
int ldc_associate_put_common(ldc_associate *associate, const char *class_uid,
                             const char *service_uid);
int ldc_associate_add_related(ldc_associate *associate, const char *class_uid, const char *uid);
void ldc_associate_drop_common(ldc_associate *associate);

int ldc_associate_set_identity(ldc_associate *associate, uint8_t type, bool response_wanted,
                               const void *primary, size_t primary_length, const void *secondary,
                               size_t secondary_length);
void ldc_associate_drop_identity(ldc_associate *associate);
int ldc_associate_set_identity_response(ldc_associate *associate, const void *bytes, size_t length);
void ldc_associate_drop_identity_response(ldc_associate *associate);

/* DICOM_ERROR_PARAMETER for the types of LDC_ITEM_..., which have members of their own. */
int ldc_associate_add_item(ldc_associate *associate, uint8_t type, const void *data, size_t length);

/* Frees the items and forgets them; ldc_associate_clear() and _clone() do the rest. */
void ldc_associate_clear_items(ldc_associate *associate);
bool ldc_associate_clone_items(ldc_associate *to, const ldc_associate *from);

#endif
