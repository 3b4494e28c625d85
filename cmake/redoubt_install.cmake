# SPDX-License-Identifier: MIT
# Install and export: find_package(redoubt) gives redoubt::core, COMPONENTS hosted adds redoubt::hosted.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(redoubt_cmake_dir "${CMAKE_INSTALL_DATADIR}/cmake/redoubt")

install(TARGETS redoubt_core EXPORT redoubt_core_targets FILE_SET HEADERS)
install(EXPORT redoubt_core_targets NAMESPACE redoubt:: FILE redoubt_core_targets.cmake
    DESTINATION "${redoubt_cmake_dir}")
if(TARGET redoubt_hosted)
    install(TARGETS redoubt_hosted EXPORT redoubt_hosted_targets)
    install(EXPORT redoubt_hosted_targets NAMESPACE redoubt:: FILE redoubt_hosted_targets.cmake
        DESTINATION "${redoubt_cmake_dir}")
endif()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/redoubtConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/redoubtConfig.cmake" INSTALL_DESTINATION "${redoubt_cmake_dir}"
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/redoubtConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/redoubtConfig.cmake" "${PROJECT_BINARY_DIR}/redoubtConfigVersion.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/redoubt_dependencies.cmake" DESTINATION "${redoubt_cmake_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
