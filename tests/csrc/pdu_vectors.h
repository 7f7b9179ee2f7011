/*
 * pdu_vectors.h - an A-ASSOCIATE-RQ and the A-ASSOCIATE-AC that answers it, with all items there
 * are, written by hand from the tables of PS3.8 §9.3 and Annex D and PS3.7 §D.3.3.
 */
#ifndef LDC_TESTS_PDU_VECTORS_H
#define LDC_TESTS_PDU_VECTORS_H

#define ZEROS_32                                                                                   \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                                                             \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* Table 9-12: 25 bytes. */
#define APPLICATION_ITEM                                                                           \
    "\x10\0\x00\x15"                                                                               \
    "1.2.840.10008.3.1.1.1"

/* Table 9-11. Lengths: 68 + 25 + 73 + 58 + 207 = 431 = 1AFH. */
static const char full_request[] =
    "\x01\0\x00\x00\x01\xAF" /* A-ASSOCIATE-RQ, reserved, PDU length */
    "\x00\x01\0\0"           /* protocol version, reserved */
    "ARCHIVE         "       /* called AE title */
    "SCU             "       /* calling AE title */
    ZEROS_32                 /* reserved */
        APPLICATION_ITEM     /* */
    "\x20\0\x00\x45"         /* presentation context: 4 + 21 + 21 + 23 = 69 (Table 9-13) */
    "\x01\0\0\0"             /*   id 1, reserved */
    "\x30\0\x00\x11"         /*   abstract syntax (Table 9-14) */
    "1.2.840.10008.1.1"      /* */
    "\x40\0\x00\x11"         /*   transfer syntax (Table 9-15) */
    "1.2.840.10008.1.2"      /* */
    "\x40\0\x00\x13"         /* */
    "1.2.840.10008.1.2.1"    /* */
    "\x20\0\x00\x36"         /* presentation context: 4 + 29 + 21 = 54 */
    "\x03\0\0\0"             /* */
    "\x30\0\x00\x19"         /* */
    "1.2.840.10008.5.1.4.1.1.2"
    "\x40\0\x00\x11" /* */
    "1.2.840.10008.1.2"
    "\x50\0\x00\xCB"                 /* user information (Table 9-16): 203 */
    "\x51\0\x00\x04\x00\x04\x00\x00" /*   maximum length 262144 (PS3.8 Table D.1-1) */
    "\x52\0\x00\x05"                 /*   implementation class UID (PS3.7 Table D.3-1) */
    "1.2.3"
    "\x53\0\x00\x04\x00\x05\x00\x06" /*   asynchronous operations window (D.3-7) */
    "\x54\0\x00\x1D"                 /*   role selection (D.3-9): 2 + 25 + 2 */
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.2"
    "\x01\x01"       /*     SCU role, SCP role */
    "\x55\0\x00\x03" /*   implementation version name (D.3-3) */
    "V_1"
    "\x56\0\x00\x1F" /*   SOP class extended negotiation (D.3-11): 2 + 25 + 4 */
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.2"
    "\x01\x02\x03\x04"
    "\x57\0\x00\x4B" /*   SOP class common extended negotiation (D.3-12): 27 + 19 + 29 */
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.2"
    "\x00\x11"
    "1.2.840.10008.4.2"
    "\x00\x1B" /*     related general SOP classes (D.3-13) */
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.1"
    "\x58\0\x00\x0E" /*   user identity (D.3-14): 2 + 6 + 6 */
    "\x02\x01"       /*     user name and passcode, response wanted */
    "\x00\x04"
    "user"
    "\x00\x04"
    "pass"
    "\x5A\0\x00\x02\xAA\xBB"; /*   a sub-item of the future */

enum {
    FULL_REQUEST = sizeof full_request - 1,
    REQUEST_CONTEXTS = 74 + 25, /* offsets */
    REQUEST_SECOND_CONTEXT = REQUEST_CONTEXTS + 73,
    REQUEST_USER = REQUEST_SECOND_CONTEXT + 58
};

/* Table 9-17. Lengths: 68 + 25 + 29 + 29 + 114 = 265 = 109H. */
static const char full_accept[] =
    "\x02\0\x00\x00\x01\x09" /* A-ASSOCIATE-AC, reserved, PDU length */
    "\x00\x01\0\0"           /* protocol version, reserved */
    "ARCHIVE         "       /* as in the request */
    "SCU             "       /* */
    ZEROS_32                 /* */
        APPLICATION_ITEM     /* */
    "\x21\0\x00\x19"         /* presentation context: 4 + 21 (Table 9-18) */
    "\x01\0\x00\0"           /*   id 1, accepted */
    "\x40\0\x00\x11"         /*   transfer syntax (Table 9-19) */
    "1.2.840.10008.1.2"      /* */
    "\x21\0\x00\x19"         /* */
    "\x03\0\x03\0"           /*   id 3, abstract syntax not supported */
    "\x40\0\x00\x11"         /*   not significant */
    "1.2.840.10008.1.2"
    "\x50\0\x00\x6E"                 /* user information: 110 */
    "\x51\0\x00\x04\x00\x00\x40\x00" /*   16384 */
    "\x52\0\x00\x05"                 /* */
    "1.2.4"
    "\x53\0\x00\x04\x00\x01\x00\x01" /* */
    "\x54\0\x00\x1D"                 /* role selection (D.3-10) */
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.2"
    "\x00\x01"
    "\x55\0\x00\x03"
    "V_2"
    "\x56\0\x00\x1F"
    "\x00\x19"
    "1.2.840.10008.5.1.4.1.1.2"
    "\x04\x03\x02\x01"
    "\x59\0\x00\x06" /* response to the user identity (D.3-15) */
    "\x00\x04"
    "kerb";

enum {
    FULL_ACCEPT = sizeof full_accept - 1,
    ACCEPT_CONTEXTS = 74 + 25,
    ACCEPT_USER = ACCEPT_CONTEXTS + 2 * 29
};

#endif
