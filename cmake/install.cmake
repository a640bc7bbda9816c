# SPDX-License-Identifier: Apache-2.0
# What `make install` leaves: the shared library, the public headers, the command, man pages, and what pkg-config and
# find_package(pare) need to find them. The installed tree may be moved: every path is relative to the package files.
include(CMakePackageConfigHelpers)

install(TARGETS pare EXPORT pare-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/pare DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET pare_cli)
    set_target_properties(pare_cli PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS pare_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
file(GLOB man_pages CONFIGURE_DEPENDS man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pare)
configure_package_config_file(cmake/pareConfig.cmake.in pareConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(pareConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/pareConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/pareConfigVersion.cmake
    DESTINATION ${package_dir})
install(EXPORT pare-targets FILE pareTargets.cmake NAMESPACE pare:: DESTINATION ${package_dir})

file(RELATIVE_PATH prefix_of_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/pare.pc.in pare.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/pare.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
