# SPDX-License-Identifier: MIT
# Planted defects (base/mutant.hpp): votes, CRCs, codes, bounds, checksums, comparisons, rotations of lanes taken out. The tests that guard them must go red.
# The barrier taken out shows in emitted code: emitted/emitted.cmake.

set(harden_tests "${CMAKE_CURRENT_LIST_DIR}/../harden")

redoubt_mutant_test(vote_of_replicas 2 FILTER "a vote counts words and takes the majority of bits"
    SOURCES "${harden_tests}/votes.cpp")
redoubt_mutant_test(vote_with_the_spare 2 FILTER "a comparison lets the spare decide"
    SOURCES "${harden_tests}/votes.cpp")
redoubt_mutant_test(vote_of_retries 2 FILTER "of two retries any two runs that agree are believed"
    SOURCES "${harden_tests}/votes.cpp")
redoubt_mutant_test(comparison_of_replicas 7 FILTER "a comparison lets the spare decide"
    SOURCES "${harden_tests}/votes.cpp")
redoubt_mutant_test(diversity 8 FILTER "diverse replicas find and outvote a stuck lane"
    SOURCES "${harden_tests}/diverse.cpp")
redoubt_mutant_test(vote_of_copies 2 FILTER "what three copies cannot settle*"
    SOURCES "${harden_tests}/store_limits.cpp")
redoubt_mutant_test(comparison_of_copies 7 FILTER "what three copies cannot settle*"
    SOURCES "${harden_tests}/store_limits.cpp")
redoubt_mutant_test(crc 3 FILTER "a checksum finds every single flipped bit*"
    SOURCES "${harden_tests}/store_limits.cpp")
redoubt_mutant_test(code 5 FILTER "single faults in SECDED parameters never reach an output"
    SOURCES "${harden_tests}/ecc.cpp")
redoubt_mutant_test(parity 5 FILTER "two flipped bits of a codeword are found*"
    SOURCES "${harden_tests}/ecc.cpp")
redoubt_mutant_test(code_in_weights 5 FILTER "every flipped bit of a word of small weights*"
    SOURCES "${harden_tests}/zero_space.cpp")
redoubt_mutant_test(bound_of_weights 4 FILTER "weights beyond their layer*"
    SOURCES "${harden_tests}/clip.cpp")
redoubt_mutant_test(bound 4 FILTER "range restriction sets what leaves its bounds to zero"
    SOURCES "${harden_tests}/range.cpp")
redoubt_mutant_test(bound_of_neurons 4 FILTER "each element is held below its own bound"
    SOURCES "${harden_tests}/range_neurons.cpp")
redoubt_mutant_test(bounds_of_the_hybrid_rule 4 FILTER "the hybrid rule bounds*"
    SOURCES "${harden_tests}/range_neurons.cpp")
# of the pair of a step, of neurons, in place
redoubt_mutant_test(vote_of_bounds 2 FILTER "copies of bounds are kept for guarded units alone*"
    SOURCES "${harden_tests}/tmr_bounds.cpp")
redoubt_mutant_test(vote_of_bounds_of_neurons 2 FILTER "two copies outvote the third*"
    SOURCES "${harden_tests}/tmr_bounds.cpp")
redoubt_mutant_test(vote_of_bounds_in_scrub 2 FILTER "a scrub repairs each kind of bound from two copies"
    SOURCES "${harden_tests}/tmr_bounds.cpp")
redoubt_mutant_test(checksum_of_integers 6 FILTER "an int8 checksum finds every flipped bit*"
    SOURCES "${harden_tests}/../kernel/checksum.cpp")
redoubt_mutant_test(checksum_of_floats 6 FILTER "a float checksum finds what is beyond its bound*"
    SOURCES "${harden_tests}/../kernel/checksum.cpp")
redoubt_mutant_test(checksum_of_integer_pixels 6 FILTER "an int8 checksum of pixels finds every flipped bit*"
    SOURCES "${harden_tests}/../kernel/pixel_checksum.cpp")
redoubt_mutant_test(checksum_of_float_pixels 6 FILTER "a float checksum of pixels finds what is beyond its bound*"
    SOURCES "${harden_tests}/../kernel/pixel_checksum.cpp")
redoubt_mutant_test(correction 2 FILTER "duplicated channels are corrected as defined"
    SOURCES "${harden_tests}/../kernel/duplicate.cpp")
redoubt_mutant_test(vote_of_channels 2 FILTER "three copies of a channel are voted on"
    SOURCES "${harden_tests}/../kernel/duplicate.cpp")
