# SPDX-License-Identifier: MIT
# Other processors, in emulators: cross compilers of their own, skipped by name where one is missing.

# The kernels for AArch64, plain and with each kind of dot product, store the bits that x86-64 stores.
redoubt_script_test(cross.neon same_bits.py --compiler aarch64-linux-gnu-g++
    "--emulator=qemu-aarch64 -L /usr/aarch64-linux-gnu" --file "${CMAKE_CURRENT_SOURCE_DIR}/support/conv_bits.cpp"
    "--flag=-I${include_dir}" "--flag=-I${CMAKE_CURRENT_SOURCE_DIR}" "--variant=-O2"
    "--variant=-O1 -march=armv8.2-a+dotprod" "--variant=-O1 -march=armv8.6-a")
set_tests_properties(cross.neon PROPERTIES TIMEOUT 1200)

# LeNet-5 with protections on an emulated Cortex-M7.
if(TARGET redoubt::hosted)
    add_executable(cortex_m_host cortex_m/host.cpp)
    target_link_libraries(cortex_m_host PRIVATE redoubt::hosted redoubt_own)
    target_include_directories(cortex_m_host PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    redoubt_script_test(cross.cortex_m7 cortex_m.py --host $<TARGET_FILE:cortex_m_host>
        --source-dir "${PROJECT_SOURCE_DIR}")
    set_tests_properties(cross.cortex_m7 PROPERTIES TIMEOUT 600)
endif()
