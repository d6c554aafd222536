#include "jmatte_nvtx.h"

#ifdef JMATTE_NVTX

#include <nvtx3/nvToolsExt.h>

namespace ranges {

static nvtxDomainHandle_t domain() {
    static const nvtxDomainHandle_t jmatte = nvtxDomainCreateA("jmatte");
    return jmatte;
}

bool available() { return true; }

void push(const char* name) {
    nvtxEventAttributes_t attributes = {};
    attributes.version = NVTX_VERSION;
    attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
    attributes.message.ascii = name;
    nvtxDomainRangePushEx(domain(), &attributes);
}

void pop() { nvtxDomainRangePop(domain()); }

} // namespace ranges

#else

namespace ranges {

bool available() { return false; }
void push(const char*) {}
void pop() {}

} // namespace ranges

#endif
