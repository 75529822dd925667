# `cpack -G DEB --config build/PRESET/CPackConfig.cmake`, which tools/package calls, makes a .deb; nothing here is
# built or checked otherwise. What the package does: packaging/debian, docs/decisions/0019-package.md.
set(KVS_DEB_RELEASE 1)
set(KVS_DEB_FOLDER ${PROJECT_SOURCE_DIR}/packaging/debian)
set(KVS_PACKAGING_FOLDER ${PROJECT_BINARY_DIR}/packaging)
set(KVS_DOC_FOLDER share/doc/kvs)

# The packaged configuration is the one with all defaults, but for the folder of the data.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/config.yaml)
file(READ ${PROJECT_SOURCE_DIR}/examples/config.yaml config)
set(default_folder "data_dir: \"./data\"")
string(FIND "${config}" "${default_folder}" found)
if(found LESS 0)
  message(FATAL_ERROR "examples/config.yaml has no line '${default_folder}' that the package could replace")
endif()
string(REPLACE "${default_folder}" "data_dir: \"/var/lib/kvs/data\"" config "${config}")
file(CONFIGURE OUTPUT ${KVS_PACKAGING_FOLDER}/config.yaml CONTENT "${config}" @ONLY)

string(TIMESTAMP KVS_DEB_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(KVS_DEB_VERSION ${PROJECT_VERSION}-${KVS_DEB_RELEASE})
configure_file(${KVS_DEB_FOLDER}/changelog.in ${KVS_PACKAGING_FOLDER}/changelog.Debian @ONLY)

# kvs_install_compressed(FILE DESTINATION NAME): installs it as DESTINATION/NAME.gz.
function(kvs_install_compressed file destination name)
  install(CODE "
    set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${destination}\")
    file(MAKE_DIRECTORY \"\${folder}\")
    execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE \"\${folder}/${name}.gz\" COMMAND_ERROR_IS_FATAL ANY)")
endfunction()

install(TARGETS kvs RUNTIME DESTINATION bin)
install(FILES ${KVS_PACKAGING_FOLDER}/config.yaml DESTINATION /etc/kvs)
install(FILES ${KVS_DEB_FOLDER}/kvs.logrotate DESTINATION /etc/logrotate.d RENAME kvs)
install(FILES ${KVS_DEB_FOLDER}/kvs.service DESTINATION /lib/systemd/system)
install(FILES ${KVS_DEB_FOLDER}/kvs.lintian-overrides DESTINATION share/lintian/overrides RENAME kvs)
install(FILES ${KVS_DEB_FOLDER}/copyright DESTINATION ${KVS_DOC_FOLDER})
kvs_install_compressed(${KVS_PACKAGING_FOLDER}/changelog.Debian ${KVS_DOC_FOLDER} changelog.Debian)
kvs_install_compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${KVS_DOC_FOLDER} changelog)
file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.md ${PROJECT_SOURCE_DIR}/docs/*.yaml)
install(FILES ${pages} DESTINATION ${KVS_DOC_FOLDER})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/decisions ${PROJECT_SOURCE_DIR}/docs/images DESTINATION ${KVS_DOC_FOLDER})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/packaging/monitoring DESTINATION ${KVS_DOC_FOLDER}/examples
        PATTERN "*.test.yaml" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/compose.yaml ${PROJECT_SOURCE_DIR}/packaging/kubernetes.yaml
        DESTINATION ${KVS_DOC_FOLDER}/examples)

file(GLOB manual CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/kvs.1)
if(manual)
  kvs_install_compressed(${manual} share/man/man1 kvs.1)
endif()
file(GLOB completions CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/packaging/completions/*)
foreach(completion ${completions})
  cmake_path(GET completion FILENAME name)
  if(name MATCHES "^_|zsh")
    install(FILES ${completion} DESTINATION share/zsh/vendor-completions RENAME _kvs)
  else()
    install(FILES ${completion} DESTINATION share/bash-completion/completions RENAME kvs)
  endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME kvs)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The KVS authors <kvs@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "replicated hierarchical key-value store, JSON over HTTP")
set(CPACK_PACKAGE_DESCRIPTION "Keys are paths, values are JSON, stored and returned byte for
byte. Every node holds all data, answers reads and writes by itself, and
shares each write with all others; nodes compare what they hold, and end up
equal.")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # without it files for /etc would be installed there
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${KVS_DEB_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.52)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "logrotate, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${KVS_DEB_FOLDER}/postinst ${KVS_DEB_FOLDER}/prerm
    ${KVS_DEB_FOLDER}/postrm ${KVS_DEB_FOLDER}/conffiles)
include(CPack)
