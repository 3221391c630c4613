# BoringSSL::SSL and BoringSSL::Crypto.
# Debian keeps it apart from OpenSSL, in folders named android; BORINGSSL_ROOT (a CMake or environment variable)
# picks another build, with include/openssl/ssl.h and lib/ or the build tree's ssl/ and crypto/.
find_path(BoringSSL_INCLUDE_DIR openssl/is_boringssl.h
  HINTS ${BORINGSSL_ROOT} ENV BORINGSSL_ROOT PATH_SUFFIXES include NO_DEFAULT_PATH)
find_path(BoringSSL_INCLUDE_DIR openssl/is_boringssl.h PATHS /usr/include/android)
foreach(part ssl crypto)
  find_library(BoringSSL_${part}_LIBRARY ${part}
    HINTS ${BORINGSSL_ROOT} ENV BORINGSSL_ROOT PATH_SUFFIXES lib lib64 ${part} . NO_DEFAULT_PATH)
  find_library(BoringSSL_${part}_LIBRARY ${part}
    PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android NO_DEFAULT_PATH)
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BoringSSL
  REQUIRED_VARS BoringSSL_ssl_LIBRARY BoringSSL_crypto_LIBRARY BoringSSL_INCLUDE_DIR)
if(BoringSSL_FOUND AND NOT TARGET BoringSSL::SSL)
  add_library(BoringSSL::Crypto UNKNOWN IMPORTED)
  set_target_properties(BoringSSL::Crypto PROPERTIES
    IMPORTED_LOCATION ${BoringSSL_crypto_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BoringSSL_INCLUDE_DIR})
  add_library(BoringSSL::SSL UNKNOWN IMPORTED)
  set_target_properties(BoringSSL::SSL PROPERTIES
    IMPORTED_LOCATION ${BoringSSL_ssl_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BoringSSL_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES BoringSSL::Crypto)
endif()
